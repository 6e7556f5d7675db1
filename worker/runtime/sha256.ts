import type { Ports } from "../proxy/ports.ts";

declare const process: { getBuiltinModule(id: "node:crypto"): { hash(algorithm: "sha256", text: string, as: "hex"): string } };

let crypto: ReturnType<typeof process.getBuiltinModule> | undefined;

/** By the module that both runtimes have from Node. The first text opens it: imported, it would cost workerd a quarter more of a start. */
export const sha256: Ports["sha256"] = (text) => (crypto ??= process.getBuiltinModule("node:crypto")).hash("sha256", text, "hex");
