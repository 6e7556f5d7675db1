import { quantile } from "../stats.ts";
import type { CallSeen } from "./isolate.ts";
import { regions, sickRegion } from "./layout.ts";
import { afterMs, type Recorded } from "./run.ts";
import type { Scenario } from "./scenarios.ts";
import type { Strategy } from "./strategies.ts";

/** What one strategy came to in one scenario, from when the fault began to when it ended. Shares from 0 to 1, times in milliseconds. */
export interface Figures {
  readonly scenario: string;
  readonly strategy: string;
  readonly calls: number;
  /** Share that failed, of calls that may be repeated and of others. */
  readonly failed: number;
  readonly failedOnce: number;
  /** Calls that went to an endpoint that is sick, with any of their attempts: of all calls of the fleet, for each 10 s from the beginning of the fault. */
  readonly touched: readonly number[];
  /** The same from 10 s after its beginning to its end, of all and of the calls that are at home in the sick region. */
  readonly touchedLater: number;
  readonly touchedLaterAtHome: number;
  /** Of good calls that are at home in the sick region. */
  readonly p50: number;
  readonly p99: number;
  /** The same from 5 s after the fault began. */
  readonly p99Later: number;
  /** The same, of those that have no side effects, so that they are hedged. */
  readonly p99LaterSafe: number;
  /** p99 of all good calls of the fleet from 5 s after the fault began. */
  readonly p99LaterOfAll: number;
  /** Attempts for each call. */
  readonly attempts: number;
  /** Share of good answers by region. */
  readonly answered: Readonly<Record<string, number>>;
  /** What the sick region answers of the calls at home in it in the last 20 s, long after the fault: 1 is all. */
  readonly back: number;
  readonly kvWrites: number;
}

export const bucketMs = 10_000;
const backMs = 20_000;
const graceMs = 5000;

export function tally({ name, lastsMs }: Scenario, strategy: Strategy, { calls, kvWrites }: Recorded): Figures {
  const during = calls.filter(({ at }) => at >= 0 && at < lastsMs);
  const later = during.filter(({ at }) => at >= bucketMs);
  const good = during.filter(({ ok }) => ok);
  const goodAtHome = good.filter(isAtHome);
  const isLater = ({ at }: CallSeen): boolean => at >= graceMs;
  const last = calls.filter((call) => call.at >= lastsMs + afterMs - backMs && isAtHome(call));
  return {
    scenario: name,
    strategy: strategy.name,
    calls: during.length,
    failed: share(during.filter(({ repeatable }) => repeatable), ({ ok }) => !ok),
    failedOnce: share(during.filter(({ repeatable }) => !repeatable), ({ ok }) => !ok),
    touched: Array.from({ length: lastsMs / bucketMs }, (_, i) => share(during.filter(({ at }) => Math.floor(at / bucketMs) === i), isTouching)),
    touchedLater: share(later, isTouching),
    touchedLaterAtHome: share(later.filter(isAtHome), isTouching),
    p50: quantile(goodAtHome.map(took), 0.5),
    p99: quantile(goodAtHome.map(took), 0.99),
    p99Later: quantile(goodAtHome.filter(isLater).map(took), 0.99),
    p99LaterSafe: quantile(goodAtHome.filter((call) => isLater(call) && call.safe).map(took), 0.99),
    p99LaterOfAll: quantile(good.filter(isLater).map(took), 0.99),
    attempts: during.reduce((sum, { attempts }) => sum + attempts, 0) / during.length,
    answered: Object.fromEntries(regions.map(({ name: region }) => [region, share(good, ({ by }) => by === region)])),
    back: share(last, ({ by }) => by === sickRegion),
    kvWrites,
  };
}

const isTouching = ({ touched }: CallSeen): boolean => touched;
const isAtHome = ({ home }: CallSeen): boolean => home === sickRegion;
const took = ({ ms }: CallSeen): number => ms;

function share(calls: readonly CallSeen[], is: (call: CallSeen) => boolean): number {
  return calls.filter(is).length / calls.length;
}
