import { type ApiKeys, readStoredKeys, storedKeysKey } from "../core/auth/api-keys.ts";
import type { Ports } from "../proxy/ports.ts";
import { within } from "../proxy/within.ts";

/** A provider's API keys in the store, as they are now, or why nobody knows. */
export type StoredKeys = () => Promise<ApiKeys | { readonly failure: "corrupt" } | { readonly failure: "unavailable"; readonly cause: string }>;

/** A copy is read anew when it is older. */
const freshMs = 30_000;
/** And where that cannot be, it counts up to here: a revoked key is gone within two minutes, with the one that a store takes to tell. */
const keptMs = 60_000;
const storeMs = 1000;
/** So long after a read failed none is tried. */
const backOffMs = 5000;

const none: ApiKeys = new Map();

export function storedKeys(provider: string, ports: Pick<Ports, "store" | "after" | "now" | "log">): StoredKeys {
  const { store, now } = ports;
  let copy: ApiKeys = none;
  let readAt = -Infinity;
  /** When the last read began while there was a copy to go on with, and when one failed last, and how. */
  let refreshedAt = -Infinity;
  let failedAt = -Infinity;
  let failure: Exclude<Awaited<ReturnType<StoredKeys>>, ApiKeys> = { failure: "unavailable", cause: "they were not read yet" };
  const since = (at: number): number => Math.abs(now() - at);

  function failed(how: typeof failure): typeof failure {
    if (since(failedAt) >= backOffMs) ports.log({ level: "error", event: "api-keys-unusable", provider, reason: how.failure === "corrupt" ? "corrupt" : how.cause });
    [failure, failedAt] = [how, now()];
    return how;
  }

  return async () => {
    if (since(readAt) < freshMs) return copy;
    const isKept = since(readAt) < keptMs;
    if (since(failedAt) < backOffMs) return isKept && failure.failure === "unavailable" ? copy : failure;
    // One call renews the copy; whoever comes meanwhile goes on with it.
    if (isKept && since(refreshedAt) < storeMs) return copy;
    refreshedAt = now();
    if (store === null) {
      return failed({ failure: "unavailable", cause: "there is no store" });
    }
    try {
      const at = now();
      const bytes = await within(ports, storeMs, store.get(storedKeysKey(provider)));
      const read = bytes === null ? none : readStoredKeys(bytes);
      if (read === undefined) return failed({ failure: "corrupt" });
      // A read that began before another one may tell older news.
      if (at >= readAt) [copy, readAt] = [read, at];
      return copy;
    } catch (error) {
      const unavailable = failed({ failure: "unavailable", cause: String(error) });
      return since(readAt) < keptMs ? copy : unavailable;
    }
  };
}
