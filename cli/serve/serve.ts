import type { CompiledConfig } from "../../worker/core/config/compiled.ts";
import type { Store } from "../../worker/proxy/ports.ts";
import { serveOnDeno } from "./deno.ts";
import { serveOnWorkerd } from "./workerd.ts";

export type Runtime = "workerd" | "deno";

export type Secrets = Readonly<Record<string, string>> | ((config: CompiledConfig) => Readonly<Record<string, string>>);

export interface ServeOptions {
  /** A compiled config's bytes. */
  readonly artifact: Uint8Array<ArrayBuffer>;
  readonly runtime: Runtime;
  /** On 127.0.0.1; 0 takes a free one. */
  readonly port: number;
  /** What a binding leads to, by name: an http or https URL. Default: the host of the first endpoint that names it. */
  readonly bindings?: Readonly<Record<string, string>>;
  /** The socket of a cache that proxies share, as those of one data centre do (`serveCache`). workerd only; default: a cache of its own. */
  readonly cache?: string;
  /** The file of a Deno KV that proxies share; deno only, default: one of its own. */
  readonly kv?: string;
  /** Whether a Durable Object sweeps; workerd only. Default: where wrangler.toml binds FAIRLEAD_SWEEPER. */
  readonly sweeper?: boolean;
  /** So many isolates take calls in turn; workerd only. Default: 1. */
  readonly isolates?: number;
  /** A header in which each request tells, in JSON, what Cloudflare would tell of its connection (`cf`); workerd only. Default: none. */
  readonly cfHeader?: string;
  /** Path of the module that is run: a Worker, or a program for Deno. Default: the project's own. */
  readonly worker?: string;
  /** Secrets by name, as `wrangler secret put` would set them; or those of the names that a config has. */
  readonly secrets?: Secrets;
}

/** A proxy that runs in a process of its own. */
export interface Served {
  /** `http://127.0.0.1:PORT`; the same after a reload. */
  readonly url: string;
  /** The runtime's process; another after a reload. */
  readonly pid: number;
  /** The proxy's KV, gone when it is stopped; null where it has none. */
  readonly store: Store | null;
  /** Takes another compiled config; settles once calls are accepted again. */
  reload(artifact: Uint8Array<ArrayBuffer>): Promise<void>;
  /** Ends the process, calls and all. */
  stop(): Promise<void>;
  /** Settles when the process ended, but for a reload: its exit code, null if a signal ended it. */
  readonly exited: Promise<number | null>;
}

/**
 * Serves a compiled config on this machine; settles once calls are accepted. The runtime's stderr goes to this
 * process's, and the runtime ends when this process does.
 * @throws Error if the port is taken or the runtime ends before it accepts calls.
 */
export function serve({ runtime, ...options }: ServeOptions): Promise<Served> {
  return runtime === "deno" ? serveOnDeno(options) : serveOnWorkerd(options);
}
