import { countTo } from "../../core/auth/rate.ts";
import type { Tally } from "../../proxy/ports.ts";
import type { DenoKv } from "./deno.ts";

/** As many others may be faster in a row. */
const mostTries = 50;

/** Counting for all processes that share a Deno KV, each account under a key of its own. Leases nobody holds: they would be two writes for each call. */
export function kvTally(kv: DenoKv): Tally {
  return {
    leases: null,
    async count(limit, account) {
      const key = ["fairlead rate limits", limit.name, account];
      for (let i = 0; i < mostTries; i++) {
        const entry = await kv.get(key);
        const now = Date.now();
        const { waitMs, due } = countTo(limit, typeof entry.value === "number" ? entry.value : undefined, now);
        if (waitMs > 0) return waitMs;
        const { ok } = await kv.atomic().check(entry).set(key, due, { expireIn: Math.ceil(due - now) }).commit();
        if (ok) return 0;
      }
      throw new Error(`another process was faster ${mostTries} times`);
    },
  };
}
