import { spawn } from "node:child_process";
import { once } from "node:events";
import { buffer } from "node:stream/consumers";
import { createHash } from "node:crypto";
import type { Documents } from "./place.ts";
import { packagePath } from "../serve/root.ts";

/** The documents in a Deno KV file, whoever has it open besides; each access runs Deno once. Rejects where it cannot be opened. */
export function denoKvFile(path: string): Documents {
  return {
    async get(key) {
      const found = await access(path, "get", [key]);
      return found.length === 0 ? null : new Uint8Array(found.subarray(1));
    },
    put: async (key, bytes) => void (await access(path, "put", [key], bytes)),
    async swap(key, before, after) {
      const digest = before === null ? "" : createHash("sha256").update(before).digest("base64");
      return (await access(path, "swap", [key, digest], after)).length > 0;
    },
  };
}

async function access(path: string, verb: "get" | "put" | "swap", args: readonly string[], bytes?: Uint8Array): Promise<Buffer> {
  const command = ["run", "--quiet", "--no-prompt", "--allow-read", "--allow-write", "--unstable-kv", packagePath("cli/store/deno-kv-access.ts"), path, verb, ...args];
  const child = spawn(packagePath("node_modules/.bin/deno"), command, { stdio: ["pipe", "pipe", "inherit"], env: { ...process.env, DENO_NO_UPDATE_CHECK: "1" } });
  child.stdin.end(bytes);
  const [found, [code]] = await Promise.all([buffer(child.stdout), once(child, "exit")]);
  if (code !== 0) throw new Error(`Cannot ${verb} "${args[0]!}" as the Deno KV at ${path} must be open to this process: deno exited with code ${String(code)}`);
  return found;
}
