import type { CompiledHealthCheck } from "../config/compiled.ts";
import { type EndpointHealth, type HealthTable, isFresh } from "./table.ts";

export interface ProbeResult {
  /** The endpoint's key. */
  readonly key: string;
  readonly healthy: boolean;
  /** Why not, or what is to be noted; "" for a plain yes. */
  readonly detail: string;
  readonly roundTripMs: number;
  readonly at: number;
}

/** An endpoint that is in another state than before. */
export interface Flip {
  readonly key: string;
  readonly from: EndpointHealth["state"] | "unknown";
  readonly to: EndpointHealth["state"];
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

/**
 * What a table becomes by the results of probes. An endpoint leaves after `unhealthyThreshold` failures in a row and
 * comes back after `healthyThreshold` successes; the first result of a new one counts at once, and so does that of any where the
 * table before is too old to be believed. Endpoints that `checks` does not name are dropped.
 *
 * A streak counts as a change: whoever sweeps next may know no more than what was written.
 */
export function judge(previous: HealthTable | null, results: readonly ProbeResult[], checks: ReadonlyMap<string, Pick<CompiledHealthCheck, "unhealthyThreshold" | "healthyThreshold">>, now: number): Judgement {
  const before = previous !== null && isFresh(previous, now) ? previous : null;
  const endpoints = new Map([...(before?.endpoints ?? [])].filter(([key]) => checks.has(key)));
  const flips: Flip[] = [];
  let changed = before === null || endpoints.size < before.endpoints.size;
  let moved = false;
  for (const result of results) {
    const { key } = result;
    const check = checks.get(key);
    if (check === undefined) continue;
    const was = endpoints.get(key);
    const is = after(was, result, check);
    endpoints.set(key, is);
    if (is.state !== was?.state) flips.push({ key, from: was?.state ?? "unknown", to: is.state, detail: is.detail });
    else if (contrary(is) !== contrary(was)) moved = true;
  }
  changed ||= flips.length > 0;
  const writtenAt = before?.writtenAt ?? -Infinity;
  const due = changed ? "flip" : moved ? "streak" : Math.abs(now - writtenAt) >= heartbeatMs ? "heartbeat" : null;
  const revision = ((previous?.revision ?? 0) + (changed ? 1 : 0)) % 2 ** 32;
  return { table: { writtenAt: due === null ? writtenAt : now, revision, endpoints }, flips, due };
}

/** Probes in a row that speak against the state that an endpoint is in. */
export function contrary(health: EndpointHealth | undefined): number {
  if (health === undefined) return 0;
  return health.state === "healthy" ? health.failures : health.successes;
}

/** Counts beyond this tell nothing new. */
const mostCounted = 1_000_000;

function after(was: EndpointHealth | undefined, { healthy, detail, roundTripMs, at }: ProbeResult, { unhealthyThreshold, healthyThreshold }: Pick<CompiledHealthCheck, "unhealthyThreshold" | "healthyThreshold">): EndpointHealth {
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
