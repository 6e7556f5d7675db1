import type { Ports } from "./ports.ts";

/** How soon something is to be written: at once, within a second, or with whatever else comes within five to ten. */
export type Urgency = "now" | "soon" | "later";

/** When a board is read and written. */
export interface Schedule {
  want(urgency: Urgency): void;
  /** Whether what is known is old enough to be read anew, which is then to be done. */
  mayRead(): boolean;
  mayWrite(): boolean;
  writing(): void;
  wrote(): void;
  /** What a read met, one before a write, too. */
  found(something: boolean): void;
  /** Does work that may fail, after which the board is left alone for a while. */
  failSoft(work: () => Promise<void>): Promise<void>;
}

/** What was read is as good as new for so long; what is no turn is written no oftener. */
const freshMs = 1000;
/** A share of failures that changes can wait so long, and twice that at most. */
const laterMs = 5000;
/** A board that fails is left alone for so long. */
const restMs = 30_000;
/** One that was written to is not empty so soon, unless it keeps nothing; it is then left alone for as long as an ejection may last. */
const keepsMs = 60_000;
const mostMisses = 3;
const emptyRestMs = 5 * 60_000;

export function schedule({ now, random, log }: Pick<Ports, "now" | "random" | "log">): Schedule {
  let [readAt, wroteAt, keptAt, restsFrom, restsFor] = [-Infinity, -Infinity, -Infinity, -Infinity, 0];
  let due = Infinity;
  let [misses, missedAt] = [0, -Infinity];

  const rests = (at: number): boolean => Math.abs(at - restsFrom) < restsFor;

  function rest(ms: number, reason: string): void {
    [restsFrom, restsFor] = [now(), ms];
    log({ level: "warn", event: "board-unusable", error: reason });
  }

  return {
    want(urgency) {
      const at = urgency === "now" ? now() : urgency === "soon" ? Math.max(now(), wroteAt + freshMs) : now() + laterMs * (1 + random());
      due = Math.min(due, at);
    },
    mayRead() {
      const at = now();
      if (Math.abs(at - readAt) < freshMs || rests(at)) return false;
      readAt = at;
      return true;
    },
    mayWrite() {
      if (due === Infinity) return false;
      const at = now();
      return due <= at && !rests(at);
    },
    writing() {
      wroteAt = now();
      due = Infinity;
    },
    wrote: () => void (keptAt = now()),
    found(something) {
      if (something || now() - keptAt > keepsMs) misses = 0;
      else if (now() - missedAt >= freshMs) [misses, missedAt] = [misses + 1, now()];
      if (misses < mostMisses) return;
      misses = 0;
      rest(emptyRestMs, "it keeps nothing of what is written");
    },
    async failSoft(work) {
      try {
        await work();
      } catch (error) {
        rest(restMs, String(error));
      }
    },
  };
}
