import type { CompiledOutlier } from "../config/compiled.ts";
import type { Observation, Observations, Outcome, Watched } from "./observation.ts";

/** An endpoint that was asked, and among whom. */
export interface Asked {
  readonly seen: Observation;
  /** All of its locality, itself too. */
  readonly neighbours: readonly Observation[];
  /** The ejection after which this call was to find out how it is, by when that ended; 0: none. */
  readonly trial: number;
}

/** How much one call weighs in the means. */
const weightOfOne = 0.1;

/** After so long without a failure an endpoint's earlier ejections are forgotten. */
const forgetMs = 60_000;

/** Of an endpoint that came back less than a minute ago, so much of the share of failures is enough. */
const ofWhoCameBack = 1 / 2;

/** Failures in a row that nobody answered eject a whole locality if they were at so many of its endpoints. */
const endpointsOfLocality = 2;

/** Failures of a locality that are farther back do not belong to the same row. */
const rowMs = 30_000;

/**
 * Takes in how a call ended. Says whether it matters to picks: `now` where an endpoint went or came back, `soon` where one is doing better or
 * worse. Of an endpoint that is out, only a trial of this very ejection says anything: the others began before it went.
 */
export function record(asked: Asked, outcome: Outcome, now: number, cluster: Watched, policy: CompiledOutlier): "now" | "soon" | undefined {
  const { seen: one } = asked;
  const isTrial = asked.trial > 0 && asked.trial === one.ejectedUntil;
  if (one.ejectedUntil > 0 && !isTrial) return undefined;
  if (isTrial) endTrial(asked);
  const how = judge(outcome);
  if (how !== "neither") one.errors += weightOfOne * ((how === "good" ? 0 : 1) - one.errors);
  if (how === "neither" || how === "slow") return isTrial ? "now" : how === "slow" ? "soon" : undefined;
  return how === "bad" ? fail({ ...asked, isTrial }, outcome, now, cluster, policy) : succeed(one, outcome, now);
}

/**
 * What the end of a call says of its endpoint. Where nobody answered, the method may be slow everywhere; `unknown` and `deadline_exceeded` are what origins
 * say of requests that went wrong, and of origins that did.
 */
function judge({ code, by }: Outcome): "good" | "bad" | "slow" | "neither" {
  if (by === "left") return "neither";
  if (by === "late") return "slow";
  if (by !== "answered" || code === "unavailable" || code === "internal" || code === "data_loss") return "bad";
  return code === "unknown" || code === "deadline_exceeded" ? "neither" : "good";
}

/** One call stands for a whole locality that is out: none of it is tried beside it. */
export function beginTrial({ seen, neighbours }: Omit<Asked, "trial">, now: number): void {
  for (const one of triedWith(seen, neighbours)) one.trialSince = now;
}

function endTrial({ seen, neighbours }: Asked): void {
  for (const one of triedWith(seen, neighbours)) one.trialSince = -Infinity;
}

function triedWith(one: Observation, neighbours: readonly Observation[]): readonly Observation[] {
  return neighbours.every(({ ejectedUntil }) => ejectedUntil > 0) ? neighbours : [one];
}

function fail({ seen: one, neighbours, isTrial }: Asked & { readonly isTrial: boolean }, outcome: Outcome, now: number, cluster: Watched, policy: CompiledOutlier): "now" | "soon" {
  const unanswered = outcome.by !== "answered";
  one.failures++;
  if (unanswered) {
    one.streak = one.failedAt > rowBegins(neighbours, now) ? one.streak + 1 : 1;
    one.failedAt = now;
  }
  if (isTrial) {
    const together = triedWith(one, neighbours);
    eject(one, now, policy);
    for (const other of together) {
      other.ejectedUntil = Math.max(other.ejectedUntil, one.ejectedUntil);
      other.ejections = Math.max(other.ejections, one.ejections);
    }
    return "now";
  }
  if (ejectLocality(neighbours, now, cluster, policy)) return "now";
  const inRow = one.failures >= policy.consecutiveFailures;
  if (inRow && neighbours.every((each) => isOut(each, now) || each.failures >= policy.consecutiveFailures) && othersAreWell(neighbours, cluster.localities)) {
    ejectAll(neighbours, now, policy);
    return "now";
  }
  if (!(inRow || failsTooOften(one, now, policy)) || !((unanswered && inRow) || hasRoom(cluster, now, policy))) return "soon";
  eject(one, now, policy);
  return "now";
}

/** Failures that came in one row are left to the other rules, but for an endpoint that has just come back. */
function failsTooOften({ errors, failures, backSince }: Observation, now: number, { failureRate }: CompiledOutlier): boolean {
  if (failureRate === 1) return false;
  if (now - backSince < forgetMs) return errors >= failureRate * ofWhoCameBack;
  const beforeRow = 1 - (1 - errors) / (1 - weightOfOne) ** failures;
  return errors >= failureRate && beforeRow > failureRate / 4;
}

function succeed(one: Observation, { code, ms }: Outcome, now: number): "now" | "soon" {
  one.failures = 0;
  one.streak = 0;
  one.goodAt = now;
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

/**
 * Ejects what is left of a locality that fails as a whole, while another one is well that its callers may go to, those of each rule of residency, too; says
 * whether it did. Where none is, it may be the isolate that is slow, and nobody would be better than this one.
 */
export function ejectLocality(neighbours: readonly Observation[], now: number, cluster: Watched, policy: CompiledOutlier): boolean {
  const since = rowBegins(neighbours, now);
  const failing = neighbours.filter(({ failedAt, streak }) => failedAt > since && streak > 0);
  const failures = failing.reduce((sum, { streak }) => sum + streak, 0);
  if (policy.localityFailures === 0 || failing.length < endpointsOfLocality || failures < policy.localityFailures) return false;
  if (!othersAreWell(neighbours, cluster.localities)) return false;
  // Who is bound to it has nowhere to go, and should not lose those of it that are well.
  if (cluster.bounds.some((bound) => bound.includes(neighbours) && !othersAreWell(neighbours, bound))) return false;
  return ejectAll(neighbours, now, policy);
}

/** Ejects what is left of a locality; says whether there was any. */
function ejectAll(neighbours: readonly Observation[], now: number, policy: CompiledOutlier): boolean {
  const left = neighbours.filter(({ ejectedUntil }) => ejectedUntil === 0);
  for (const one of left) eject(one, now, policy);
  return left.length > 0;
}

/** Whether a locality has had failures that speak against all of it since it last answered well. */
export function hasRow(neighbours: readonly Observation[], now: number): boolean {
  const since = rowBegins(neighbours, now);
  return neighbours.some(({ failedAt, streak }) => failedAt > since && streak > 0);
}

/** Only what failed after this counts: when the locality last answered well, or long ago. */
function rowBegins(neighbours: readonly Observation[], now: number): number {
  let last = now - rowMs;
  for (const { goodAt } of neighbours) if (goodAt > last) last = goodAt;
  return last;
}

function eject(one: Observation, now: number, { baseEjectionMs, maxEjectionMs }: CompiledOutlier): void {
  one.ejections++;
  one.ejectedUntil = now + Math.min(baseEjectionMs * one.ejections, maxEjectionMs);
  one.failures = 0;
  one.streak = 0;
}

/** Errors that origins answer take out one endpoint of a cluster, and more up to the policy's share. */
function hasRoom({ localities }: Watched, now: number, { maxEjected }: CompiledOutlier): boolean {
  const all = localities.flat();
  return all.filter((each) => isOut(each, now)).length < Math.max(1, Math.floor(maxEjected * all.length));
}

/** Whether another one of these localities has an endpoint that may be picked, is neither out nor on probation, and did not fail last. */
function othersAreWell(neighbours: readonly Observation[], localities: Observations): boolean {
  return localities.some((locality) => locality !== neighbours && locality.some(({ usable, ejectedUntil, failures }) => usable && ejectedUntil === 0 && failures === 0));
}

function isOut({ ejectedUntil }: Observation, now: number): boolean {
  return ejectedUntil > now;
}
