import type { CompiledConfig, CompiledOutlier, CompiledRetry } from "../../worker/core/config/compiled.ts";

/** How a fleet keeps away from who is sick. */
export interface Strategy {
  readonly name: string;
  /** For people. */
  readonly what: string;
  /** How often endpoints are probed, in milliseconds; null: there is no health table. */
  readonly probedEveryMs: number | null;
  /** Whether isolates learn from their own calls: ejection, and weights by errors and latency. */
  readonly learns: boolean;
  readonly outlier?: Partial<CompiledOutlier>;
  readonly retry?: Partial<CompiledRetry>;
  readonly slowStartMs?: number;
  /** Whether the isolates of a data centre tell each other, through a board. */
  readonly shares: boolean;
}

const once = { maxAttempts: 1 };
const minute = 60_000;
const defaults = { probedEveryMs: minute, learns: true, shares: true } as const;
const alone = { probedEveryMs: null, learns: false, shares: false } as const;
const perEndpoint = { localityFailures: 0, failureRate: 1 };

export const strategies: readonly Strategy[] = [
  { name: "place alone", what: "no health at all: an endpoint of the nearest region, one attempt", ...alone, retry: once },
  { name: "retries alone", what: "nothing is learned; retries and hedging", ...alone },
  { name: "table 60 s", what: "the health table, swept each minute, one attempt", ...alone, probedEveryMs: minute, retry: once },
  { name: "table 10 s", what: "the health table, swept every 10 s, one attempt", ...alone, probedEveryMs: 10_000, retry: once },
  { name: "five in a row", what: "retries, hedging, and ejection of an endpoint after five failures in a row; no table, no board", ...alone, learns: true, outlier: perEndpoint },
  { name: "five, board", what: "the same with the board", ...alone, learns: true, shares: true, outlier: perEndpoint },
  { name: "unshared", what: "the defaults without the board, as where there is none: retries, hedging, all rules of ejection, the table swept each minute", ...defaults, shares: false },
  { name: "no table", what: "the defaults without the health table", ...defaults, probedEveryMs: null },
  { name: "defaults", what: "retries, hedging, all rules of ejection, the board, and the table swept each minute", ...defaults },
  { name: "probes 10 s", what: "the defaults, swept every 10 s", ...defaults, probedEveryMs: 10_000 },
  { name: "no rate", what: "the defaults without ejection at 30 % of failures", ...defaults, outlier: { failureRate: 1 } },
  { name: "no region", what: "the defaults without ejection of a whole region", ...defaults, outlier: { localityFailures: 0 } },
  { name: "region 5", what: "the defaults with five failures of a region in a row", ...defaults, outlier: { localityFailures: 5 } },
  { name: "eject 5 s", what: "the defaults with a base ejection of 5 s", ...defaults, outlier: { baseEjectionMs: 5000 } },
  { name: "eject 30 s", what: "the defaults with a base ejection of 30 s", ...defaults, outlier: { baseEjectionMs: 30_000 } },
  { name: "rise 30 s", what: "the defaults with a slow start of 30 s", ...defaults, slowStartMs: 30_000 },
  { name: "hedge 100", what: "the defaults, hedging after 100 ms, whatever is usual", ...defaults, retry: { hedgingDelayMs: 100 } },
  { name: "no hedge", what: "the defaults, another attempt only after the 800 ms of an attempt", ...defaults, retry: { hedgingDelayMs: 800 } },
];

/** The config with what a strategy changes of it. */
export function configFor(config: CompiledConfig, { probedEveryMs, outlier, retry, slowStartMs }: Strategy): CompiledConfig {
  return {
    ...config,
    clusters: config.clusters.map((cluster) => ({
      ...cluster,
      healthCheck: probedEveryMs === null || cluster.healthCheck === null ? null : { ...cluster.healthCheck, intervalMs: probedEveryMs },
      outlier: { ...cluster.outlier, ...outlier },
      slowStartMs: slowStartMs ?? cluster.slowStartMs,
    })),
    routes: config.routes.map((route) => ({ ...route, retry: { ...route.retry, ...retry } })),
  };
}
