import type { CompiledHealthCheck } from "../config/compiled.ts";
import { type EndpointHealth, type Found, type HealthTable, isFresh, sameStates } from "./table.ts";

export interface ProbeResult {
  /** The endpoint's key. */
  readonly key: string;
  /** From where it was probed; null: from where the sweep runs. */
  readonly region: string | null;
  readonly healthy: boolean;
  /** Why not, or what is to be noted; "" for a plain yes. */
  readonly detail: string;
  readonly roundTripMs: number;
  readonly at: number;
}

/** An endpoint that is in another state than before, as a whole or, where a region is named, from there. */
export interface Flip {
  readonly key: string;
  readonly region?: string;
  readonly from: Found["state"] | "unknown";
  readonly to: Found["state"];
  readonly detail: string;
}

/** Why a table is to be written: an endpoint flipped, came or went; one is on its way to another state, or off it again; time has passed. */
export type WriteReason = "flip" | "streak" | "heartbeat";

export interface Judgement {
  /** Its `writtenAt` is now if it is to be written, else that of the table before. */
  readonly table: HealthTable;
  readonly flips: readonly Flip[];
  readonly due: WriteReason | null;
}

/** Time between two writes that bring nothing new, in milliseconds, less what a cron may come early. */
export const heartbeatMs = 0.9 * 2 * 60_000;

/** What of a health check its results are judged by. */
export type Judged = Pick<CompiledHealthCheck, "unhealthyThreshold" | "healthyThreshold" | "intervalMs" | "regions">;

/**
 * What a table becomes by the results of probes. An endpoint leaves after `unhealthyThreshold` failures in a row and
 * comes back after `healthyThreshold` successes; the first result of a new one counts at once, and so does that of any where the
 * table before is too old to be believed. Endpoints that `checks` does not name are dropped.
 *
 * Where one has results from several regions, these count for each region by itself, and for the endpoint as a whole as one: a success
 * if any of them is. A region that says nothing has no say in that.
 *
 * A streak counts as a change: whoever sweeps next may know no more than what was written.
 */
export function judge(previous: HealthTable | null, results: readonly ProbeResult[], checks: ReadonlyMap<string, Judged>, now: number): Judgement {
  const before = previous !== null && isFresh(previous, now) ? previous : null;
  const endpoints = new Map([...(before?.endpoints ?? [])].filter(([key]) => checks.has(key)));
  const flips: Flip[] = [];
  let changed = before === null || endpoints.size < before.endpoints.size;
  let moved = false;
  for (const [key, found] of Map.groupBy(results, (result) => result.key)) {
    const check = checks.get(key);
    if (check === undefined) continue;
    const was = endpoints.get(key);
    const is = { ...after(was, whole(found), check), regions: regionsAfter(was, found, check, now) };
    endpoints.set(key, is);
    flips.push(...flipsOf(key, was, is));
    changed ||= !sameStates(was, is);
    moved ||= contrary(is) !== contrary(was);
  }
  const writtenAt = before?.writtenAt ?? -Infinity;
  const due = changed ? "flip" : moved ? "streak" : Math.abs(now - writtenAt) >= heartbeatMs ? "heartbeat" : null;
  const revision = ((previous?.revision ?? 0) + (changed ? 1 : 0)) % 2 ** 32;
  return { table: { writtenAt: due === null ? writtenAt : now, revision, endpoints }, flips, due };
}

/** Probes in a row that speak against the state that an endpoint is in, as a whole or from the region where they are most. */
export function contrary(health: EndpointHealth | undefined): number {
  return health === undefined ? 0 : Math.max(against(health), ...[...health.regions.values()].map(against));
}

function against({ state, failures, successes }: Found): number {
  return state === "healthy" ? failures : successes;
}

/** Results of one endpoint as one: well where one of them is, then by the quickest of those. */
function whole(results: readonly ProbeResult[]): ProbeResult {
  return results.reduce((best, one) => (one.healthy && (!best.healthy || one.roundTripMs < best.roundTripMs) ? one : best));
}

/** What a region said last counts for so many intervals, and for as long as a written table may be behind. */
const lastingIntervals = 3;
const leastLastingMs = 3 * 60_000;

/**
 * What the regions find. One that is new, or has said nothing for long, begins with what is known of the endpoint as a whole: a single failure
 * there is no reason to leave it.
 */
function regionsAfter(was: EndpointHealth | undefined, results: readonly ProbeResult[], check: Judged, now: number): EndpointHealth["regions"] {
  const lasting = Math.max(lastingIntervals * check.intervalMs, leastLastingMs);
  const regions = new Map([...(was?.regions ?? [])].filter(([region, { probedAt }]) => check.regions.includes(region) && Math.abs(now - probedAt) <= lasting));
  for (const result of results) {
    const { region, at } = result;
    if (region === null || !check.regions.includes(region)) continue;
    const start = was && { ...was, since: at, successes: 0, failures: 0 };
    regions.set(region, after(regions.get(region) ?? start, result, check));
  }
  return regions;
}

function flipsOf(key: string, was: EndpointHealth | undefined, is: EndpointHealth): Flip[] {
  const whole: Flip[] = is.state === was?.state ? [] : [{ key, from: was?.state ?? "unknown", to: is.state, detail: is.detail }];
  const regional = [...is.regions].flatMap(([region, { state: to, detail }]): Flip[] => {
    const from = was?.regions.get(region)?.state ?? was?.state ?? "unknown";
    return to === from ? [] : [{ key, region, from, to, detail }];
  });
  return [...whole, ...regional];
}

/** Counts beyond this tell nothing new. */
const mostCounted = 1_000_000;

function after(was: Found | undefined, { healthy, detail, roundTripMs, at }: ProbeResult, { unhealthyThreshold, healthyThreshold }: Judged): Found {
  const successes = healthy ? Math.min((was?.successes ?? 0) + 1, mostCounted) : 0;
  const failures = healthy ? 0 : Math.min((was?.failures ?? 0) + 1, mostCounted);
  const enough = was === undefined || (healthy ? successes >= healthyThreshold : failures >= unhealthyThreshold);
  const state = enough ? (healthy ? "healthy" : "unhealthy") : was.state;
  return {
    state,
    since: state === was?.state ? was.since : at,
    detail: healthy && state === "unhealthy" ? (was?.detail ?? "") : detail,
    successes,
    failures,
    probedAt: at,
    roundTripMs,
  };
}
