import { endpointKey } from "../balance/endpoint-key.ts";
import type { CompiledCluster, CompiledEndpoint, CompiledHealthCheck } from "../config/compiled.ts";
import { contrary } from "./judge.ts";
import type { HealthTable } from "./table.ts";

/** An endpoint that is to be probed, and how. */
export interface Target {
  readonly key: string;
  readonly cluster: Pick<CompiledCluster, "dialect" | "codecs">;
  readonly endpoint: CompiledEndpoint;
  readonly check: CompiledHealthCheck;
}

/** By key, all that a config wants probed. */
export function targetsOf(clusters: readonly CompiledCluster[]): ReadonlyMap<string, Target> {
  const targets = clusters.flatMap((cluster) => cluster.localities.flatMap(({ region, endpoints }) => endpoints.map((endpoint) => ({
    key: endpointKey(cluster.name, region, endpoint), cluster, endpoint, check: cluster.healthCheck,
  }))));
  return new Map(targets.flatMap(({ check, ...rest }) => (check === null ? [] : [[rest.key, { ...rest, check }]])));
}

/** A table is to be written every two minutes, whatever the interval, and a cron ticks by the minute. */
const longestSweepMs = 60_000;

/** Time between two sweeps, in milliseconds: the shortest interval of a check, a minute at most. Undefined where nothing is to be probed. */
export function sweepInterval(clusters: readonly CompiledCluster[]): number | undefined {
  const intervals = clusters.flatMap(({ healthCheck }) => healthCheck?.intervalMs ?? []);
  return intervals.length === 0 ? undefined : Math.min(longestSweepMs, ...intervals);
}

/** The regions from which anything is probed. */
export function regionsOf(checks: Iterable<Pick<CompiledHealthCheck, "regions"> | null>): string[] {
  return [...new Set([...checks].flatMap((check) => check?.regions ?? []))];
}

/** A sweep that comes early, by at most such a part of the time between two, still counts as the one that was meant: cron and timers are not exact. */
const early = 0.5;

/**
 * The endpoints whose interval has passed: those on their way to another state first, then those that were not probed
 * for longest, so that a sweep that has to stop half-way goes on with the rest the next time.
 */
export function dueTargets(targets: ReadonlyMap<string, Target>, table: HealthTable | null, now: number): Target[] {
  const known = table?.endpoints;
  const probedAt = ({ key }: Target): number => known?.get(key)?.probedAt ?? -Infinity;
  const flipping = ({ key }: Target): number => (contrary(known?.get(key)) > 0 ? 1 : 0);
  const slack = early * Math.min(longestSweepMs, ...[...targets.values()].map(({ check }) => check.intervalMs));
  return [...targets.values()]
    .filter((target) => Math.abs(now - probedAt(target)) >= target.check.intervalMs - slack)
    .sort((a, b) => flipping(b) - flipping(a) || compare(probedAt(a), probedAt(b)));
}

function compare(a: number, b: number): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
