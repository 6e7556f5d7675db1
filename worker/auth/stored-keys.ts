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

const none: ApiKeys = new Map();

export function storedKeys(provider: string, ports: Pick<Ports, "store" | "after" | "now" | "log">): StoredKeys {
  const { store, now } = ports;
  let copy: ApiKeys = none;
  let readAt = -Infinity;
  const age = (): number => Math.abs(now() - readAt);
  const complain = (reason: string): void => ports.log({ level: "error", event: "api-keys-unusable", provider, reason });
  return async () => {
    if (age() < freshMs) return copy;
    if (store === null) {
      complain("there is no store");
      return { failure: "unavailable", cause: "there is no store" };
    }
    try {
      const at = now();
      const bytes = await within(ports, storeMs, store.get(storedKeysKey(provider)));
      const read = bytes === null ? none : readStoredKeys(bytes);
      if (read === undefined) {
        complain("corrupt");
        return { failure: "corrupt" };
      }
      // A read that began before another one may tell older news.
      if (at >= readAt) [copy, readAt] = [read, at];
      return copy;
    } catch (error) {
      complain(String(error));
      return age() < keptMs ? copy : { failure: "unavailable", cause: String(error) };
    }
  };
}
