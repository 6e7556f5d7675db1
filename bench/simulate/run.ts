import type { CompiledConfig, CompiledMethod } from "../../worker/core/config/compiled.ts";
import { boardsOf } from "./board.ts";
import { virtualClock } from "./clock.ts";
import { type Fleet, meanLifeMs, type Seat } from "./fleet.ts";
import { type CallSeen, type Isolate, isolateAt, type World } from "./isolate.ts";
import { kvOf } from "./kv.ts";
import { methods } from "./layout.ts";
import { originsOf } from "./origins.ts";
import type { Scenario } from "./scenarios.ts";
import { type Seeded, seeded } from "./seeded.ts";
import { configFor, type Strategy } from "./strategies.ts";
import { startSweeps } from "./sweeps.ts";

/** The sweeps begin so early that everybody can see what the first one wrote; callers later. In milliseconds before the fault. */
const sweptBefore = 205_000;
const calledBefore = 40_000;
/** For how long calls go on after the fault, and how long the last ones are waited for. */
export const afterMs = 40_000;
const settlesMs = 20_000;

/** How often the cron runs in another isolate than the minute before. */
const movedShare = 0.1;

export interface Recorded {
  readonly calls: readonly CallSeen[];
  readonly kvWrites: number;
}

/** One strategy in one scenario. The same arguments give the same calls, to the millisecond. `open` starts an isolate. */
export async function run(base: CompiledConfig, fleet: Fleet, scenario: Scenario, strategy: Strategy, seed: number, open: typeof isolateAt = isolateAt): Promise<Recorded> {
  const config = configFor(base, strategy);
  const clock = virtualClock(-sweptBefore);
  const kv = kvOf(clock, seeded(seed, "kv"));
  const origins = originsOf(scenario, clock, seeded(seed, "origins"));
  const world: World = { config, strategy, clock, origins, kv, boards: boardsOf(clock, seeded(seed, "board")) };
  const end = scenario.lastsMs + afterMs;
  startSweeps(world, fleet, seeded(seed, "cron"), { firstAt: -sweptBefore, end, moved: movedShare, log: () => {} });
  const calls: CallSeen[] = [];
  const picks = new Map(fleet.seats.map((seat) => [seat, seeded(seed, `picks ${seat.index}`)]));
  for (const seat of fleet.seats) occupy(seat, () => open(seat, world, picks.get(seat)!), world, seeded(seed, `arrivals ${seat.index}`), end, calls);
  await clock.run(end + settlesMs);
  return { calls, kvWrites: kv.writes() };
}

/** Calls come to a seat as they do; now and then its isolate is stopped, and the next call finds a cold one. */
function occupy({ everyMs }: Seat, open: () => Isolate, { clock, config }: World, arrivals: Seeded, end: number, calls: CallSeen[]): void {
  const start = -calledBefore;
  let isolate = open();
  let stopsAt = start + arrivals.exponential(meanLifeMs);
  const arrive = (): void => {
    const now = clock.now();
    if (now > end) return;
    if (now >= stopsAt) {
      isolate = open();
      stopsAt = now + arrivals.exponential(meanLifeMs);
    }
    void isolate(methodOf(config, arrivals)).then((seen) => calls.push(seen));
    clock.after(arrivals.exponential(everyMs), arrive);
  };
  clock.after(start + arrivals.exponential(everyMs) - clock.now(), arrive);
}

function methodOf(config: CompiledConfig, { uniform }: Seeded): CompiledMethod {
  const drawn = uniform();
  let upTo = 0;
  const { path } = methods.find(({ share }) => drawn < (upTo += share)) ?? methods[0];
  return config.methods.find((method) => method.path === path)!;
}
