import { mkdtempSync, rmSync } from "node:fs";
import { rename, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { decodeArtifact } from "../../worker/core/config/artifact.ts";
import { serveInChild } from "./child.ts";
import { denoKvFile } from "../store/deno-kv.ts";
import { packagePath } from "./root.ts";
import type { Served, ServeOptions } from "./serve.ts";

/** Deno has no bindings: an endpoint that names one is not reached. */
export async function serveOnDeno({ artifact, port, secrets = {}, kv: shared, worker = packagePath("worker/runtime/deno/main.ts") }: Omit<ServeOptions, "runtime">): Promise<Served> {
  const directory = mkdtempSync(join(tmpdir(), "fairlead-"));
  const path = join(directory, "fairlead.compiled");
  const write = async (bytes: Uint8Array) => {
    await writeFile(`${path}.new`, bytes);
    await rename(`${path}.new`, path);
  };
  await write(artifact);
  // It has this process's environment besides, where it finds those that another config names.
  const given = typeof secrets === "function" ? secrets((await decodeArtifact(artifact)).config) : secrets;
  // Without --unstable-no-legacy-abort a request's signal fires after a good reply too.
  const kv = shared ?? join(directory, "kv.sqlite");
  const flags = ["--allow-net", "--allow-read", `--allow-write=${directory},${dirname(kv)}`, "--allow-env", "--no-prompt", "--unstable-no-legacy-abort", "--unstable-kv"];
  const args = (at: number) => ["run", ...flags, worker, "--config", path, "--port", String(at), "--kv", kv];
  const cleanUp = () => rmSync(directory, { recursive: true, force: true });
  const told = { fd: 1, as: /listening on http:\/\/[^\s]*:(\d+)/ } as const;
  return serveInChild({ name: "deno", command: packagePath("node_modules/.bin/deno"), args, env: { ...given, DENO_NO_UPDATE_CHECK: "1" }, told, write, store: denoKvFile(kv), cleanUp }, port);
}
