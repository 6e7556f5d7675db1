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
