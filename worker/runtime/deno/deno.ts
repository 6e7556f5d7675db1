/** The few parts of Deno's API that the door uses: https://docs.deno.com/api/deno/ */
export interface DenoRuntime {
  readonly args: readonly string[];
  readonly env: { get(name: string): string | undefined };
  /** Only there with --unstable-kv. */
  readonly openKv?: (path?: string) => Promise<DenoKv>;
  /** Only there with --unstable-cron, and on Deno Deploy. */
  readonly cron?: (name: string, schedule: string, handler: () => Promise<void>) => Promise<void>;
  readFile(path: string): Promise<Uint8Array<ArrayBuffer>>;
  /** https://docs.deno.com/api/deno/~/Deno.createHttpClient */
  createHttpClient(options: { readonly cert: string; readonly key: string; readonly caCerts: string[] }): object;
  serve(
    options: { hostname: string; port: number; onListen: (address: { hostname: string; port: number }) => void },
    handler: (request: Request, info: { remoteAddr: { hostname: string } }) => Promise<Response>,
  ): { readonly finished: Promise<void> };
  exit(code: number): never;
}

/** https://docs.deno.com/api/deno/~/Deno.Kv */
export interface DenoKv {
  get(key: DenoKvEntry["key"]): Promise<DenoKvEntry>;
  list(selector: { prefix: readonly string[] }, options: { batchSize: number }): AsyncIterable<{ readonly key: readonly (string | number)[]; readonly value: unknown }>;
  atomic(): DenoAtomic;
}

/** As it is now; null where there is none. */
export interface DenoKvEntry {
  readonly key: readonly (string | number)[];
  readonly value: unknown;
  readonly versionstamp: string | null;
}

interface DenoAtomic {
  /** Nothing is committed where one of these is not as it was. */
  check(entry: Pick<DenoKvEntry, "key" | "versionstamp">): DenoAtomic;
  /** `expireIn`: it goes after so many milliseconds, or somewhat later. */
  set(key: readonly (string | number)[], value: unknown, options?: { readonly expireIn: number }): DenoAtomic;
  delete(key: readonly (string | number)[]): DenoAtomic;
  commit(): Promise<{ readonly ok: boolean }>;
}
