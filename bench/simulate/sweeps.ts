// Loaded beforehand: the proxy asks for it when it needs it, and virtual time does not wait for a disk.
import "../../worker/core/health/codec.ts";
import { sweepInterval } from "../../worker/core/health/targets.ts";
import type { LogEntry, Ports } from "../../worker/proxy/ports.ts";
import { jittered, sweepForAMinute } from "../../worker/health/rounds.ts";
import { sweeper } from "../../worker/health/sweep.ts";
import type { Fleet } from "./fleet.ts";
import { epoch, type World } from "./isolate.ts";
import type { Seeded } from "./seeded.ts";

const minute = 60_000;
export interface Cron {
  readonly firstAt: number;
  readonly end: number;
  /** How often a run is in another isolate than the one before, which knows nothing, in another data centre; from 0 to 1. */
  readonly moved: number;
  readonly log: (entry: LogEntry) => void;
}

/** The cron of the Worker: `scheduled` as in runtime/cloudflare/worker.ts, once a minute from `firstAt` on, until `end`. */
export function startSweeps({ config, clock, origins, kv }: Pick<World, "config" | "clock" | "origins" | "kv">, { colos }: Fleet, random: Seeded, { firstAt, end, moved, log }: Cron): void {
  const interval = sweepInterval(config.clusters);
  if (interval === undefined) return;
  const open = () => {
    const colo = colos[Math.floor(random.uniform() * colos.length)]!;
    const skew = Math.round(random.normal() * 50);
    const ports: Ports = {
      transport: origins.transportFrom(colo),
      now: () => epoch + skew + clock.now(),
      after: clock.after,
      endsWithReply: true,
      random: random.uniform,
      log,
      secret: () => undefined,
      fetch: () => Promise.resolve({ failure: "nothing can be fetched" }),
      limiter: () => undefined,
      tally: null,
      store: kv.storeAt(colo),
      board: null,
    };
    return { ports, sweep: jittered(sweeper(config, ports), interval, ports) };
  };
  let place = open();
  const tick = (due: number): void => {
    if (due > end) return;
    if (random.uniform() < moved) place = open();
    void sweepForAMinute(place.sweep, interval, place.ports);
    // A cron comes up to two seconds late.
    clock.after(due + minute + 2000 * random.uniform() - clock.now(), () => tick(due + minute));
  };
  clock.after(firstAt - clock.now(), () => tick(firstAt));
}
