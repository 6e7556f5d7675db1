import { type Command, Option } from "commander";
import { dirname, join } from "node:path";
import type { Store } from "../../worker/proxy/ports.ts";
import { denoKvFile } from "./deno-kv.ts";
import { wranglerKv } from "./wrangler-kv.ts";

/** Which config is meant, and where the documents of its proxies are. */
export interface Place {
  readonly config: string;
  readonly env?: string;
  readonly wrangler?: string;
  readonly remote?: true;
  readonly local?: true;
  readonly kv?: string;
}

/** A store in which a document can be changed by several at once. */
export interface Documents extends Store {
  /** Puts `after` where the document is still `before`, and tells whether it is there now; false: read it anew. */
  swap(key: string, before: Uint8Array | null, after: Uint8Array): Promise<boolean>;
}

/** Gives a command the options of a `Place`. */
export function placed(command: Command): Command {
  return command
    .option("--config <file>", "the config", "fairlead.yaml")
    .option("--env <name>", "merge environments.NAME over the file, and take that environment of the wrangler config")
    .option("--wrangler <file>", "the wrangler config (default: wrangler.toml beside the config)")
    .addOption(new Option("--remote", "in Cloudflare's KV").conflicts(["local", "kv"]))
    .addOption(new Option("--local", "in the KV of `wrangler dev` on this machine").conflicts(["remote", "kv"]))
    .addOption(new Option("--kv <file>", "in this Deno KV file").conflicts(["remote", "local"]));
}

/** @throws Error where it is not said which. */
export function storeOf({ config, env, wrangler, remote, local, kv }: Place): Documents {
  if (kv !== undefined) return denoKvFile(kv);
  if (remote === undefined && local === undefined) throw new Error("Cannot tell which proxies are meant: one of --remote, --local and --kv FILE must be given");
  return wranglerKv({ where: remote === true ? "remote" : "local", config: wrangler ?? join(dirname(config), "wrangler.toml"), env });
}
