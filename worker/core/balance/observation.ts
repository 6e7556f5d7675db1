import type { CompiledCluster, CompiledOutlier } from "../config/compiled.ts";
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
}

/** How a call ended, seen from the endpoint that it went to. */
export interface Outcome {
  readonly code: Code;
  /** `answered`: the origin's own word. `transport`: it was not reached, or broke off. `silence`: it did not answer in time, while another did. `left`: nobody can tell. */
  readonly by: "answered" | "transport" | "silence" | "left";
  /** How long it took; 0 where that says nothing, as of a stream. */
  readonly ms: number;
}

/** Observations of a cluster's endpoints, by locality and endpoint as in the config. */
export type Observations = readonly (readonly Observation[])[];

export function observe({ localities }: CompiledCluster): Observations {
  return localities.map(({ endpoints }) => endpoints.map(fresh));
}

function fresh(): Observation {
  return { pending: 0, failures: 0, ejections: 0, ejectedUntil: 0, trialSince: -Infinity, backSince: -Infinity, errors: 0, latency: 0 };
}

/** How much one call weighs in the means. */
const weightOfOne = 0.1;

/** After so long without a failure an endpoint's earlier ejections are forgotten. */
const forgetMs = 60_000;

/**
 * Takes in how a call ended; `onTrial`: it was to find out how an endpoint on probation is. Says whether it matters to picks:
 * `now` where the endpoint went or came back, `soon` where it is doing better or worse. Of an endpoint that is out, only a
 * trial says anything: the others began before it went.
 */
export function record(one: Observation, outcome: Outcome, now: number, cluster: Observations, policy: CompiledOutlier, onTrial = false): "now" | "soon" | undefined {
  if (one.ejectedUntil > 0 && !onTrial) return undefined;
  if (onTrial) one.trialSince = -Infinity;
  if (outcome.by === "left") return onTrial ? "now" : undefined;
  const failed = isFailure(outcome);
  one.errors += weightOfOne * ((failed ? 1 : 0) - one.errors);
  if (!failed) return succeed(one, outcome, now);
  one.failures++;
  const unanswered = outcome.by !== "answered";
  if ((!onTrial && one.failures < policy.consecutiveFailures) || !(onTrial || unanswered || mayEject(one, cluster, now, policy))) return "soon";
  one.ejections++;
  one.ejectedUntil = now + Math.min(policy.baseEjectionMs * one.ejections, policy.maxEjectionMs);
  one.failures = 0;
  return "now";
}

function succeed(one: Observation, { code, ms }: Outcome, now: number): "now" | "soon" {
  one.failures = 0;
  // Refusals are quick: who counted them would send everybody to whoever refuses.
  if (code === "ok" && ms > 0) one.latency = one.latency === 0 ? ms : one.latency + weightOfOne * (ms - one.latency);
  if (one.ejectedUntil === 0) {
    if (now - one.backSince > forgetMs) one.ejections = 0;
    return "soon";
  }
  one.ejectedUntil = 0;
  one.backSince = now;
  one.errors = 0;
  return "now";
}

function isFailure({ code, by }: Outcome): boolean {
  return by !== "answered" || code === "unavailable" || code === "internal" || code === "data_loss";
}

/**
 * Errors take out one endpoint of a cluster, and more up to the policy's share; a locality that fails as a whole goes as a
 * whole, where there is another.
 */
function mayEject(one: Observation, cluster: Observations, now: number, { maxEjected, consecutiveFailures }: CompiledOutlier): boolean {
  const all = cluster.flat();
  const isOut = ({ ejectedUntil }: Observation): boolean => ejectedUntil > now;
  if (all.filter(isOut).length < Math.max(1, Math.floor(maxEjected * all.length))) return true;
  const neighbours = cluster.find((locality) => locality.includes(one)) ?? [];
  const othersAreWell = all.some((other) => !neighbours.includes(other) && !isOut(other) && other.failures === 0);
  return othersAreWell && neighbours.every((neighbour) => isOut(neighbour) || neighbour.failures >= consecutiveFailures);
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
  const risen = slowStartMs === 0 ? 1 : (now - backSince) / slowStartMs;
  return Math.max(leastFactor, Math.min(1, risen) * (1 - errors) ** 4);
}

/**
 * How much of its weight among its neighbours it is given, from a tenth to 1: less where it takes more than twice as long as
 * `usual`, what the middle one of them takes.
 */
export function speedOf({ latency }: Observation, usual: number): number {
  return usual > 0 && latency > 2 * usual ? Math.max(leastFactor, ((2 * usual) / latency) ** 2) : 1;
}
