import type { Limiter, Ports } from "../../proxy/ports.ts";
import { fetchDocument } from "../../transport/document.ts";
import { kvStore, type KvNamespace } from "./store.ts";
import { objectTally, type TallyNamespace } from "./tally.ts";
import { cacheBoard, type CacheLike } from "./board.ts";
import { type Fetcher, fetchTransport, globalFetch } from "../../transport/fetch.ts";

/** The ports on workerd, with the board of the config that `digest` names. workerd does not tell a refused connection from a broken one, so a thrown error may have reached. */
export function cloudflarePorts(env: object, digest: string): Ports {
  const bindings = env as Readonly<Record<string, Binding>> & { readonly FAIRLEAD?: KvNamespace; readonly FAIRLEAD_TALLY?: TallyNamespace };
  return {
    transport: fetchTransport({ through: ({ binding }) => (binding === null ? globalFetch : (asFetcher(bindings[binding]) ?? `no binding is named ${binding}`)), reached: () => "maybe", decodes: new Set(), resends: false }),
    now: () => Date.now(),
    after(ms, then) {
      const timer = setTimeout(then, ms);
      return () => clearTimeout(timer);
    },
    endsWithReply: true,
    random: () => Math.random(),
    secret: (name) => asSecret(bindings[name]),
    store: bindings.FAIRLEAD === undefined ? null : kvStore(bindings.FAIRLEAD),
    fetch: fetchDocument,
    limiter: (name) => asLimiter(bindings[name]),
    tally: bindings.FAIRLEAD_TALLY === undefined ? null : objectTally(bindings.FAIRLEAD_TALLY),
    board: cacheBoard((caches as unknown as { readonly default: CacheLike }).default, digest),
    log: (entry) => console[entry.level](JSON.stringify(entry)),
  };
}

type Binding = Fetcher | Limiter | string | undefined;

function asFetcher(binding: Binding): Fetcher | undefined {
  return typeof binding === "object" && "fetch" in binding ? binding : undefined;
}

/** https://developers.cloudflare.com/workers/runtime-apis/bindings/rate-limit/ */
function asLimiter(binding: Binding): Limiter | undefined {
  return typeof binding === "object" && "limit" in binding ? binding : undefined;
}

function asSecret(binding: Binding): string | undefined {
  return typeof binding === "string" ? binding : undefined;
}
