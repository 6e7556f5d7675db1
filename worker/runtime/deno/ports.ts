import type { Ports, Store, Tally } from "../../proxy/ports.ts";
import { fetchDocument } from "../../transport/document.ts";
import { errorText, fetchTransport } from "../../transport/fetch.ts";

/** The ports on Deno. Its fetch says in words when a connection was refused: the request then surely did not reach. */
export function denoPorts(env: (name: string) => string | undefined, store: Store, tally: Tally | null): Ports {
  return {
    transport: fetchTransport({
      bindings: () => undefined,
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
    log: (entry) => console[entry.level](JSON.stringify(entry)),
  };
}
