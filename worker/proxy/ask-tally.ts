import type { Ports } from "./ports.ts";
import { within } from "./within.ts";

/** So long a call waits for its answer: a round trip to the far side of the world. */
const waitMs = 500;
/** So long nobody is asked where an answer did not come. */
const restMs = 1000;
const logEveryMs = 60_000;

/**
 * Asks who counts for all isolates. Undefined where no answer comes in time, and for a second after that: the isolate then counts
 * for itself, and the log says so once a minute. Never rejects.
 */
export type AskTally = <T>(ask: () => Promise<T>) => Promise<T | undefined>;

/** `what` is counted, for the log: a cluster or a limit, by name. */
export function tallyAsker({ now, after, log }: Pick<Ports, "now" | "after" | "log">, what: Readonly<Record<string, string>>): AskTally {
  let restsUntil = -Infinity;
  let loggedAt = -Infinity;
  let failed = 0;

  function fail(error: unknown): void {
    failed++;
    restsUntil = now() + restMs;
    if (Math.abs(now() - loggedAt) < logEveryMs) return;
    loggedAt = now();
    log({ level: "warn", event: "tally-failed", ...what, failed, error: String(error), instead: "counted here" });
    failed = 0;
  }

  return async (ask) => {
    const left = restsUntil - now();
    // A clock that was put back must not keep it from being asked.
    if (left > 0 && left <= restMs) return undefined;
    try {
      return await within({ after }, waitMs, ask());
    } catch (error) {
      fail(error);
      return undefined;
    }
  };
}

/** Says once that a config wants shared counting where nobody does it. */
export function tallyMissing({ log }: Pick<Ports, "log">, what: Readonly<Record<string, string>>): void {
  log({ level: "warn", event: "tally-missing", ...what, instead: "counted here" });
}
