import { execFile } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { stripVTControlCharacters } from "node:util";
import { packagePath } from "../serve/root.ts";
import type { Documents } from "./place.ts";

/** Longer than another `fairlead` takes from reading a document to having written it, in milliseconds. */
const othersWriteWithin = 5000;

export interface WranglerKv {
  /** Cloudflare's KV, or the one that `wrangler dev` keeps on this machine. */
  readonly where: "remote" | "local";
  /** The wrangler config that names the namespace. */
  readonly config: string;
  readonly env: string | undefined;
}

/** The KV namespace with the binding FAIRLEAD, through wrangler, which knows the account and the credentials. */
export function wranglerKv({ where, config, env }: WranglerKv): Documents {
  // Without --preview=false wrangler does not look for a namespace that it has made itself, and whose id nobody wrote down.
  const options = ["--binding", "FAIRLEAD", `--${where}`, "--preview=false", "--config", config, ...(env === undefined ? [] : ["--env", env])];
  const documents: Documents = {
    async get(key) {
      const { code, out, err } = await wrangler(["kv", "key", "get", key, ...options]);
      if (code !== 0 && isMissing(err, key)) return null;
      if (code !== 0) throw new Error(`Cannot read "${key}" as wrangler must find the namespace: ${lastWords(err)}`);
      return out.equals(notFound) ? null : new Uint8Array(out);
    },
    async put(key, bytes) {
      const directory = mkdtempSync(join(tmpdir(), "fairlead-kv-"));
      try {
        const path = join(directory, "value");
        writeFileSync(path, bytes);
        const { code, err } = await wrangler(["kv", "key", "put", key, "--path", path, ...options]);
        if (code !== 0) throw new Error(`Cannot write "${key}" as wrangler must find the namespace: ${lastWords(err)}`);
      } finally {
        rmSync(directory, { recursive: true, force: true });
      }
    },
    // KV has no write with a condition, so whoever wrote over another is found out afterwards, and not where KV still tells of what was before.
    async swap(key, _before, after) {
      await documents.put(key, after);
      await pause(othersWriteWithin);
      const found = await documents.get(key);
      return found !== null && Buffer.from(found).equals(after);
    },
  };
  return documents;
}

/** Whether Cloudflare's KV has no such key, by what wrangler says of the request, whose path has the key as it is or encoded. */
function isMissing(err: string, key: string): boolean {
  return [key, encodeURIComponent(key)].some((name) => err.includes(`/values/${name} - 404:`));
}

/** What wrangler prints, and ends well, where a local namespace has no such key. */
const notFound = Buffer.from("Value not found\n");

interface Said {
  readonly code: number;
  readonly out: Buffer;
  readonly err: string;
}

/** Runs again what failed by no fault of its own: Cloudflare's server, or the local runtime, which two commands at a time get in the way of. */
async function wrangler(args: readonly string[]): Promise<Said> {
  for (let made = 1; ; made++) {
    const said = await wranglerOnce(args);
    if (said.code === 0 || made === mostRuns || !/ failed: 5\d\d |runtime failed to start/.test(said.err)) return said;
    await pause(made * 300);
  }
}

const mostRuns = 4;

function wranglerOnce(args: readonly string[]): Promise<Said> {
  return new Promise((resolve) => {
    const script = packagePath("node_modules/wrangler/bin/wrangler.js");
    execFile(process.execPath, [script, ...args], { encoding: "buffer", maxBuffer: 64 * 1024 * 1024 }, (error, out, err) => {
      resolve({ code: error === null ? 0 : 1, out, err: `${String(err)}\n${error === null ? "" : String(out)}` });
    });
  });
}

function lastWords(err: string): string {
  const lines = stripVTControlCharacters(err).split("\n").map((line) => line.trim());
  return lines.find((line) => line.includes("ERROR"))?.replace(/^.*ERROR\S*\s*/, "") ?? lines.findLast((line) => line !== "") ?? "it said nothing";
}
