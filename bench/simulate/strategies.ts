import type { CompiledConfig, CompiledOutlier, CompiledRetry } from "../../worker/core/config/compiled.ts";
import type { Sharing } from "./board.ts";

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
  /** What the isolates of a data centre tell each other: not built. */
  readonly board?: Sharing;
  /** So many failures in a row eject a whole region: not built. */
  readonly localityAfter?: number;
  /** Whether another attempt stays in the region where an endpoint of it answered with an error: not built. */
  readonly nearby?: boolean;
  /** Such a share of failures, from 0 to 1, ejects an endpoint: not built. */
  readonly rateAfter?: number;
}

const once = { maxAttempts: 1 };
const minute = 60_000;
const all: Sharing = { waitMs: 10, what: "all" };
const both = { probedEveryMs: minute, learns: true } as const;

export const strategies: readonly Strategy[] = [
  { name: "place alone", what: "no health at all: an endpoint of the nearest region, one attempt", probedEveryMs: null, learns: false, retry: once },
  { name: "retries alone", what: "nothing is learned; retries and hedging", probedEveryMs: null, learns: false },
  { name: "table 60 s", what: "the health table, swept each minute, one attempt", probedEveryMs: minute, learns: false, retry: once },
  { name: "table 10 s", what: "the health table, swept every 10 s, one attempt", probedEveryMs: 10_000, learns: false, retry: once },
  { name: "passive", what: "retries, hedging and ejection, no table", probedEveryMs: null, learns: true },
  { name: "both", what: "the defaults: passive, and the table swept each minute", ...both },
  { name: "both, 10 s", what: "the same, swept every 10 s", ...both, probedEveryMs: 10_000 },
  { name: "both, eject 30 s", what: "as `both`, base ejection 30 s", ...both, outlier: { baseEjectionMs: 30_000 } },
  { name: "both, 3 failures", what: "as `both`, three failures in a row eject", ...both, outlier: { consecutiveFailures: 3 } },
  { name: "both, 1 failure", what: "as `both`, one failure ejects", ...both, outlier: { consecutiveFailures: 1 } },
  { name: "both, hedge 100", what: "as `both`, hedging after 100 ms, whatever is usual", ...both, retry: { hedgingDelayMs: 100 } },
  { name: "both, no hedge", what: "as `both`, another attempt only after the 800 ms of an attempt", ...both, retry: { hedgingDelayMs: 800 } },
  { name: "retry nearby", what: "not built: as `both`, and where an endpoint answers with an error, the second attempt may go to its neighbour; without an answer it leaves the region, as now", ...both, nearby: true },
  { name: "region 3", what: "not built: as `both`, and three failures in a row at two endpoints of a region or more eject all of it; one trial stands for all", ...both, localityAfter: 3 },
  { name: "board", what: "not built: as `both`, and a blackboard per data centre with ejections, trials and returns, read in the background once a second at most", ...both, board: { waitMs: 0, what: "ejections" } },
  { name: "board, waited", what: "not built: the same, and a call waits up to 10 ms for what is older than a second", ...both, board: { waitMs: 10, what: "ejections" } },
  { name: "board, all", what: "not built: the same, and failures in a row and rates are on it, too", ...both, board: all },
  { name: "board, all, region 3", what: "not built: `board, all` and `region 3`", ...both, board: all, localityAfter: 3 },
  { name: "board, all, region 3, 30 s", what: "not built: `board, all, region 3`, base ejection 30 s", ...both, board: all, localityAfter: 3, outlier: { baseEjectionMs: 30_000 } },
  { name: "all of these", what: "not built: `board, all, region 3`, `retry nearby`, and an endpoint is ejected where 30 % of its calls lately failed", ...both, board: all, localityAfter: 3, rateAfter: 0.3, nearby: true },
];

/** The config with what a strategy changes of it. */
export function configFor(config: CompiledConfig, { probedEveryMs, outlier, retry }: Strategy): CompiledConfig {
  return {
    ...config,
    clusters: config.clusters.map((cluster) => ({
      ...cluster,
      healthCheck: probedEveryMs === null || cluster.healthCheck === null ? null : { ...cluster.healthCheck, intervalMs: probedEveryMs },
      outlier: { ...cluster.outlier, ...outlier },
    })),
    routes: config.routes.map((route) => ({ ...route, retry: { ...route.retry, ...retry } })),
  };
}
