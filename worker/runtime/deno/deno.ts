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
  ): unknown;
}

/** https://docs.deno.com/api/deno/~/Deno.Kv */
export interface DenoKv {
  list(selector: { prefix: readonly string[] }, options: { batchSize: number }): AsyncIterable<{ readonly key: readonly (string | number)[]; readonly value: unknown }>;
  atomic(): DenoAtomic;
}

interface DenoAtomic {
  set(key: readonly (string | number)[], value: unknown): DenoAtomic;
  delete(key: readonly (string | number)[]): DenoAtomic;
  commit(): Promise<unknown>;
}
