import type { Ports } from "../proxy/ports.ts";
import type { Sweep } from "./sweep.ts";

/**
 * Sweeps now and at every interval (in milliseconds) until a minute is over, so that one cron a minute serves shorter intervals too; settles
 * when the last sweep has ended. The last one begins an interval before the next minute's first.
 */
export async function sweepForAMinute(sweep: Sweep, interval: number, { now, after }: Pick<Ports, "now" | "after">): Promise<void> {
  const began = now();
  for (let next = began; next <= began + 60_000 - interval || next === began; next += interval) {
    const wait = next - now();
    if (wait > 0) await new Promise<void>((resolve) => void after(wait, resolve));
    if (wait > -interval) await sweep();
  }
}

/** Of an interval; a sweep that comes by so much earlier than an interval after the last one finds its endpoints due all the same. */
const spread = 0.1;

/** Begins each sweep up to a tenth of the interval later than asked, at random: Workers that share origins and a cron do not probe in step. */
export function jittered(sweep: Sweep, interval: number, { random, after }: Pick<Ports, "random" | "after">): Sweep {
  return async () => {
    await new Promise<void>((resolve) => void after(spread * interval * random(), resolve));
    await sweep();
  };
}
