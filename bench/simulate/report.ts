import type { Simulated } from "./simulate.ts";
import type { Figures } from "./tally.ts";

/** A table as texts, for the terminal and for the page. */
export interface Grid {
  readonly head: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

export function figuresOf({ figures }: Pick<Simulated, "figures">, scenario: string, strategy: string): Figures | undefined {
  return figures.find((one) => one.scenario === scenario && one.strategy === strategy);
}

/** p99 from 5 s after an endpoint turned gray over that of the healthy fleet with the same strategy. */
export function grayRatio(simulated: Simulated, strategy: string, of: "p99Later" | "p99LaterSafe" | "p99LaterOfAll"): number {
  return (figuresOf(simulated, "endpoint gray", strategy)?.[of] ?? NaN) / (figuresOf(simulated, "healthy", strategy)?.[of] ?? NaN);
}

/** All strategies beside each other, a row each. */
export function summary(simulated: Simulated): Grid {
  const lost = ["region refused", "region silent"].filter((name) => simulated.scenarios.some((scenario) => scenario.name === name));
  return {
    head: ["strategy", "failed, worst", "not repeatable", ...lost.flatMap((name) => [`${name}: 0-10 s`, "10-20 s", "20-60 s"]), "gray, p99 at home x", "safe methods x", "whole fleet x"],
    rows: simulated.strategies.map(({ name }) => {
      const own = simulated.figures.filter(({ strategy }) => strategy === name);
      return [
        name,
        percent(Math.max(...own.map(({ failed }) => failed))),
        percent(Math.max(...own.map(({ failedOnce }) => failedOnce))),
        ...lost.flatMap((scenario) => {
          const { touched = [] } = figuresOf(simulated, scenario, name) ?? {};
          return [percent(touched[0] ?? NaN), percent(touched[1] ?? NaN), percent(mean(touched.slice(2, 6)))];
        }),
        ...(["p99Later", "p99LaterSafe", "p99LaterOfAll"] as const).map((of) => grayRatio(simulated, name, of).toFixed(2)),
      ];
    }),
  };
}

/** One scenario, a row a strategy. */
export function detail(simulated: Simulated, scenario: string): Grid {
  return {
    head: ["strategy", "failed", "not repeatable", "touched 0-10 s", "10-20 s", "20-60 s", "last 10 s", "p50 more", "p99 more", "attempts", "eu / us / ap", "back", "KV writes"],
    rows: simulated.strategies.flatMap(({ name }) => {
      const own = figuresOf(simulated, scenario, name);
      // Where nothing fails, what a strategy costs shows beside the one that does nothing.
      const healthy = figuresOf(simulated, "healthy", own?.scenario === "healthy" ? "place alone" : name);
      if (own === undefined || healthy === undefined) return [];
      const { touched } = own;
      return [[
        name, percent(own.failed), percent(own.failedOnce),
        ...[touched[0]!, touched[1]!, mean(touched.slice(2, 6)), touched.at(-1)!].map(percent),
        milliseconds(own.p50 - healthy.p50), milliseconds(own.p99 - healthy.p99),
        own.attempts.toFixed(3),
        Object.values(own.answered).map((share) => (share * 100).toFixed(0)).join(" / "),
        percent(own.back), String(own.kvWrites),
      ]];
    }),
  };
}

export function daysGrid({ days, noticed }: Simulated): Grid {
  return {
    head: ["swept every", "cron moves", "KV writes a day", "false alarms", "a lost region is written after"],
    rows: days.map(({ probedEveryMs, moved, writes, falseFlips }, i) => {
      const { tookMs } = noticed[i]!;
      return [`${probedEveryMs / 1000} s`, `${moved * 100} %`, String(writes), String(falseFlips), `${seconds(tookMs[1])} s (${seconds(tookMs[0])} to ${seconds(tookMs[2])})`];
    }),
  };
}

export function percent(share: number): string {
  return Number.isNaN(share) ? "-" : share === 0 ? "0" : `${(share * 100).toFixed(share < 0.1 ? 2 : 1)} %`;
}

export function milliseconds(ms: number): string {
  return Number.isNaN(ms) ? "-" : `${ms.toFixed(0)} ms`;
}

export function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

function seconds(ms: number): string {
  return (ms / 1000).toFixed(0);
}
