import { figuresOf, type Grid, grayRatio, percent } from "./report.ts";
import type { Simulated } from "./simulate.ts";

export interface Verdict {
  readonly aim: string;
  readonly strategy: string;
  readonly value: string;
  readonly met: boolean;
}

/** What a fleet is to keep to. */
const mostTouched = 0.01;
const mostGray = 2;
const mostWrites = 1000;

/** The aims, for each strategy. */
export function verdicts(simulated: Simulated): Verdict[] {
  const touching = ["region refused", "region silent"].flatMap((scenario) => simulated.strategies.flatMap(({ name }): Verdict[] => {
    const touched = figuresOf(simulated, scenario, name)?.touched.slice(1);
    if (touched === undefined) return [];
    const worst = Math.max(...touched);
    return [{ aim: `${scenario}: at most 1 % of the fleet's calls touch it in any 10 s from 10 s after its death`, strategy: name, value: percent(worst), met: worst <= mostTouched }];
  }));
  const gray = (["p99Later", "p99LaterOfAll"] as const).flatMap((of) => simulated.strategies.map(({ name }): Verdict => {
    const ratio = grayRatio(simulated, name, of);
    const whose = of === "p99Later" ? "of calls at home there" : "of the whole fleet";
    return { aim: `endpoint gray: p99 ${whose} from 5 s on at most twice the healthy one`, strategy: name, value: ratio.toFixed(2), met: ratio <= mostGray };
  }));
  const writes = simulated.days.map(({ probedEveryMs, moved, writes: count }): Verdict => ({
    aim: "fewer than 1,000 KV writes in a day of steady state", strategy: `swept every ${probedEveryMs / 1000} s, cron moves ${moved * 100} %`, value: String(count), met: count < mostWrites,
  }));
  return [...touching, ...gray, ...writes];
}

/** The aims about callers beside each other: a row each, a column for each of these strategies. */
export function aims(simulated: Simulated, wanted: readonly string[]): Grid {
  const all = verdicts(simulated).filter(({ strategy }) => wanted.includes(strategy));
  const names = wanted.filter((name) => simulated.strategies.some((strategy) => strategy.name === name));
  const rows = [...Map.groupBy(all, ({ aim }) => aim)].map(([aim, of]) => [aim, ...names.map((name) => {
    const one = of.find(({ strategy }) => strategy === name);
    return one === undefined ? "-" : `${one.value}${one.met ? ", met" : ""}`;
  })]);
  return { head: ["aim", ...names], rows };
}
