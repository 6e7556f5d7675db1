import type { CompiledCluster, CompiledConfig } from "../config/compiled.ts";
import type { Code } from "../protocol/code.ts";

/** What one isolate has seen of one endpoint with its own calls. Outlives every snapshot. Times in milliseconds. */
export interface Observation {
  /** Calls that it has at the moment. */
  pending: number;
  /** Failures in a row. */
  failures: number;
  /** How often it was ejected lately. */
  ejections: number;
  /** It takes no calls until then; 0: it is not ejected. From then on it is on probation. */
  ejectedUntil: number;
  /** Since when the call is under way that is tried on it while it is on probation; -Infinity: none is. */
  trialSince: number;
  /** When it came back. */
  backSince: number;
  /** Share of calls that failed lately: an exponentially weighted mean. */
  errors: number;
  /** How long good calls took lately, likewise; 0: none yet. */
  latency: number;
  /** When a call last failed in a way that speaks against its whole locality, and when one last did not fail; -Infinity: none yet. */
  failedAt: number;
  goodAt: number;
  /** How many such failures it had, at `failedAt`, since its locality last answered well. */
  streak: number;
  /** Whether it may be picked by what others say of it: it is neither drained nor probed dead, and has a weight. */
  usable: boolean;
}

/** How a call ended, seen from the endpoint that it went to. */
export interface Outcome {
  readonly code: Code;
  /**
   * `answered`: the origin's own word. `transport`: it was not reached, or broke off. `silence`: it did not answer in time, while another did.
   * `late`: nobody answered in all the time that the route gives. `left`: nobody can tell.
   */
  readonly by: "answered" | "transport" | "silence" | "late" | "left";
  /** How long it took; 0 where that says nothing, as of a stream. */
  readonly ms: number;
}

/** Observations of a cluster's endpoints, by locality and endpoint as in the config. */
export type Observations = readonly (readonly Observation[])[];

export function observe({ localities }: CompiledCluster): Observations {
  return localities.map(({ endpoints }) => endpoints.map(fresh));
}

/** A cluster's observations, and for each rule of residency those of the localities that it leaves to the callers whom it binds. */
export interface Watched {
  readonly localities: Observations;
  readonly bounds: readonly Observations[];
}

/** Of a cluster, by index. */
export function watched(localities: Observations, cluster: number, { clusters, routes }: Pick<CompiledConfig, "clusters" | "routes">): Watched {
  const rules = routes.filter(({ split }) => split.some((share) => share.cluster === cluster && share.weight > 0)).flatMap(({ residency }) => residency);
  const regions = clusters[cluster]!.localities.map(({ region }) => region);
  return { localities, bounds: rules.map((rule) => localities.filter((_, l) => rule.regions.includes(regions[l]!))) };
}

function fresh(): Observation {
  return { pending: 0, failures: 0, ejections: 0, ejectedUntil: 0, trialSince: -Infinity, backSince: -Infinity, errors: 0, latency: 0, failedAt: -Infinity, goodAt: -Infinity, streak: 0, usable: true };
}

/** A trial that nobody has heard of for so long is over: the runtime may have dropped its call. */
export const longestTrialMs = 30_000;

/** The least that an endpoint's share is cut to while it comes back, or does badly. */
const leastFactor = 0.1;

/**
 * How many well endpoints this one is worth, from a tenth to 1: a growing part while it comes back (slow start, aggression 1), and
 * less while it fails.
 */
export function readinessOf({ ejectedUntil, backSince, errors }: Observation, now: number, slowStartMs: number): number {
  if (ejectedUntil > 0) return leastFactor;
  const risen = slowStartMs === 0 ? 1 : Math.abs(now - backSince) / slowStartMs;
  return Math.max(leastFactor, Math.min(1, risen) * (1 - errors) ** 4);
}

/**
 * How much of its weight among its neighbours it is given, from a tenth to 1: less where it takes more than twice as long as
 * `usual`, what the middle one of them takes.
 */
export function speedOf({ latency }: Observation, usual: number): number {
  return usual > 0 && latency > 2 * usual ? Math.max(leastFactor, ((2 * usual) / latency) ** 2) : 1;
}
