import type { Ports } from "../../proxy/ports.ts";
import { kvStore, type KvNamespace } from "./store.ts";
import { cacheBoard, type CacheLike } from "./board.ts";
import { type Fetcher, fetchTransport } from "../../transport/fetch.ts";

/** The ports on workerd. It does not tell a refused connection from a broken one, so a thrown error may have reached. */
export function cloudflarePorts(env: object): Ports {
  const bindings = env as Readonly<Record<string, Fetcher | string | undefined>> & { readonly FAIRLEAD?: KvNamespace };
  return {
    transport: fetchTransport({ bindings: (name) => asFetcher(bindings[name]), reached: () => "maybe", decodes: new Set(), resends: false }),
    now: () => Date.now(),
    after(ms, then) {
      const timer = setTimeout(then, ms);
      return () => clearTimeout(timer);
    },
    endsWithReply: true,
    random: () => Math.random(),
    secret: (name) => asSecret(bindings[name]),
    store: bindings.FAIRLEAD === undefined ? null : kvStore(bindings.FAIRLEAD),
    board: cacheBoard((caches as unknown as { readonly default: CacheLike }).default),
    log: (entry) => console[entry.level](JSON.stringify(entry)),
  };
}

function asFetcher(binding: Fetcher | string | undefined): Fetcher | undefined {
  return typeof binding === "string" ? undefined : binding;
}

function asSecret(binding: Fetcher | string | undefined): string | undefined {
  return typeof binding === "string" ? binding : undefined;
}
