import { recent } from "../core/auth/recent.ts";
import type { CompiledRateLimit } from "../core/config/compiled-auth.ts";
import { tallyAsker, tallyMissing } from "../proxy/ask-tally.ts";
import type { Ports } from "../proxy/ports.ts";
import { sha256Hex } from "./sha256.ts";

/** Counts a call to a key for all isolates: how many milliseconds it has to wait, 0 where it may pass; undefined where nobody counts at the moment. */
export type SharedRate = (key: string) => Promise<number | undefined>;

/** What is remembered of accounts that are used up, by each isolate. */
const mostUsedUp = 10_000;
const accountBytes = 250;

/** Undefined where nobody counts for all. Keys are told to nobody: their SHA-256 is the account's name. */
export function sharedRate(limit: CompiledRateLimit, ports: Pick<Ports, "tally" | "now" | "after" | "log">): SharedRate | undefined {
  const { tally, now } = ports;
  if (tally === null) return void tallyMissing(ports, { limit: limit.name });
  const ask = tallyAsker(ports, { limit: limit.name });
  // Until when: no call can change that, so that whoever comes too often costs no round trip.
  const usedUp = recent<number>({ count: mostUsedUp, bytes: mostUsedUp * accountBytes });

  return async (key) => {
    const account = await sha256Hex(key);
    const left = (usedUp.get(account, now()) ?? 0) - now();
    // A clock that was put back must not keep a caller out.
    if (left > 0 && left <= limit.periodMs) return left;
    const waitMs = await ask(() => tally.count(limit, account));
    if (waitMs !== undefined && waitMs > 0) usedUp.set(account, now() + waitMs, now() + waitMs, accountBytes);
    return waitMs;
  };
}
