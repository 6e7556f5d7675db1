import type { CompiledConfig } from "../../worker/core/config/compiled.ts";
import { virtualClock } from "./clock.ts";
import type { Fleet } from "./fleet.ts";
import { kvOf } from "./kv.ts";
import { originsOf } from "./origins.ts";
import { scenarios } from "./scenarios.ts";
import { seeded } from "./seeded.ts";
import { configFor, type Strategy } from "./strategies.ts";
import { startSweeps } from "./sweeps.ts";

export interface Day {
  readonly probedEveryMs: number;
  /** How often a cron runs in another isolate than the time before, from 0 to 1. */
  readonly moved: number;
  readonly writes: number;
  /** Writes that KV refused. */
  readonly refused: number;
  /** Endpoints that were found to be unhealthy, though all are well. */
  readonly falseFlips: number;
}

const dayMs = 24 * 60 * 60_000;

/** A day in which nothing happens, but that one probe in 1,000 fails: what the sweeps of one Worker write. */
export async function steadyDay(base: CompiledConfig, fleet: Fleet, seed: number, { probedEveryMs, moved }: Pick<Day, "probedEveryMs" | "moved">): Promise<Day> {
  const strategy: Strategy = { name: "day", what: "", probedEveryMs, learns: false, shares: false };
  const clock = virtualClock(0);
  const kv = kvOf(clock, seeded(seed, "kv"));
  const origins = originsOf(scenarios[0]!, clock, seeded(seed, "origins"));
  let falseFlips = 0;
  startSweeps({ config: configFor(base, strategy), clock, origins, kv }, fleet, seeded(seed, "cron"), {
    firstAt: 0, end: dayMs, moved, log: ({ event, to }) => void (event === "health-flip" && to === "unhealthy" && falseFlips++),
  });
  await clock.run(dayMs);
  return { probedEveryMs, moved, writes: kv.writes(), refused: kv.refused(), falseFlips };
}

export const days: readonly Pick<Day, "probedEveryMs" | "moved">[] = [60_000, 10_000].flatMap((probedEveryMs) => [0, 0.1, 1].map((moved) => ({ probedEveryMs, moved })));

export interface Noticed {
  readonly probedEveryMs: number;
  readonly moved: number;
  /** From the death of a region to the write that says so, of several runs: the least, the middle and the most, in milliseconds. */
  readonly tookMs: readonly [number, number, number];
}

/** How long after a region refuses calls the table is written that says so. Readers see it 60 s later, and up to 60 s after that. */
export async function noticed(base: CompiledConfig, fleet: Fleet, seed: number, { probedEveryMs, moved }: Pick<Day, "probedEveryMs" | "moved">): Promise<Noticed> {
  const strategy: Strategy = { name: "noticed", what: "", probedEveryMs, learns: false, shares: false };
  const took: number[] = [];
  for (let i = 0; i < runs; i++) {
    const clock = virtualClock(-warmUpMs);
    const random = (name: string) => seeded(seed + i, name);
    const origins = originsOf({ ...lost, lastsMs: Infinity }, clock, random("origins"));
    let at = NaN;
    startSweeps({ config: configFor(base, strategy), clock, origins, kv: kvOf(clock, random("kv")) }, fleet, random("cron"), {
      firstAt: -warmUpMs - random("phase").uniform() * 60_000, end: longestMs, moved, log: ({ event, to }) => void (event === "health-flip" && to === "unhealthy" && clock.now() >= 0 && Number.isNaN(at) && (at = clock.now())),
    });
    await clock.run(longestMs);
    took.push(at);
  }
  took.sort((a, b) => a - b);
  return { probedEveryMs, moved, tookMs: [took[0]!, took[took.length >> 1]!, took.at(-1)!] };
}

const runs = 15;
const warmUpMs = 5 * 60_000;
const longestMs = 15 * 60_000;
const lost = scenarios.find(({ name }) => name === "region refused")!;
