import type { CompiledCluster } from "../../core/config/compiled.ts";
import type { LogEntry, Ports, Store, Tally } from "../../proxy/ports.ts";
import { fetchDocument } from "../../transport/document.ts";
import { errorText, fetchTransport, globalFetch } from "../../transport/fetch.ts";
import { certificates } from "./certificates.ts";
import type { DenoRuntime } from "./deno.ts";

export interface DenoNeeds {
  readonly env: (name: string) => string | undefined;
  readonly store: Store;
  readonly tally: Tally | null;
  readonly clusters: readonly CompiledCluster[];
  readonly createHttpClient: DenoRuntime["createHttpClient"];
}

/** The ports on Deno. Its fetch says in words when a connection was refused: the request then surely did not reach. */
export function denoPorts({ env, store, tally, clusters, createHttpClient }: DenoNeeds): Ports {
  const log = (entry: LogEntry): void => console[entry.level](JSON.stringify(entry));
  const shows = certificates(clusters, { secret: env, createHttpClient, log });
  return {
    transport: fetchTransport({
      through: ({ binding, clientCertificate }) => (binding !== null ? `no binding is named ${binding}` : clientCertificate === null ? globalFetch : shows(clientCertificate)),
      reached: (error) => (/Connection refused|dns error|tcp connect error/.test(errorText(error)) ? "no" : "maybe"),
      decodes: new Set(["gzip", "br"]),
      resends: true,
    }),
    now: () => Date.now(),
    after(ms, then) {
      const timer = setTimeout(then, ms);
      return () => clearTimeout(timer);
    },
    endsWithReply: false,
    random: () => Math.random(),
    secret: env,
    store,
    fetch: fetchDocument,
    limiter: () => undefined,
    tally,
    // All calls of a process are in one isolate.
    board: null,
    log,
  };
}
