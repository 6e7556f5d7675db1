import type { CompiledCluster, CompiledEndpoint, CompiledLocality, CompiledOutlier } from "../config/compiled.ts";
import { longestTrialMs, type Observation, type Observations, observe, readinessOf, speedOf } from "./observation.ts";
import type { Point } from "./place.ts";
import { hash } from "./rendezvous.ts";
import { type Weighted, weighted } from "./weighted.ts";

/**
 * What is known of an endpoint. `unknown` is as good as `healthy`; an `unhealthy` or `ejected` one is chosen in panic alone, as is
 * an `unreached` one, which is well but for probes from the region that is near; a `drained` one never. One on `probation` was
 * ejected and gets one call, which can be repeated elsewhere, before the others.
 */
export type EndpointState = "unknown" | "healthy" | "unhealthy" | "unreached" | "ejected" | "probation" | "drained";

/** Whether probes keep calls from an endpoint in this state. */
export function isSick(state: EndpointState): boolean {
  return state === "unhealthy" || state === "unreached";
}

export type StateOf = (cluster: CompiledCluster, region: string, endpoint: CompiledEndpoint) => EndpointState;

/** The weight of a locality, or of an endpoint of it: the config's, unless an operator has set another. */
export type WeightOf = (cluster: CompiledCluster, locality: CompiledLocality, endpoint?: CompiledEndpoint) => number;
const configured: WeightOf = (_cluster, locality, endpoint) => (endpoint ?? locality).weight;

/** All that a pick looks at besides the call, at one instant; built anew when a document that it is made from changes. */
export interface Snapshot {
  /** In the config's order. */
  readonly clusters: readonly ClusterView[];
  /** When it becomes untrue by itself, as an ejection ends or a slow start goes on; Infinity: never. */
  readonly until: number;
  /** The region of probes that is near, whose word holds here; null where none is, or nobody knows. */
  readonly here: string | null;
}

export interface ClusterView {
  readonly cluster: CompiledCluster;
  /** When this was true, in milliseconds since the epoch. */
  readonly now: number;
  /** Hashes of what a thing is and is called: a key that likes the cluster "eu" likes the region "eu" no more than another. */
  readonly name: number;
  readonly localities: readonly LocalityView[];
  /** Where `shareOut` writes; a pick is over before the next begins, so one for the cluster will do. */
  readonly standings: readonly Standing[];
}

export interface LocalityView {
  readonly region: string;
  readonly name: number;
  readonly weight: number;
  readonly priority: number;
  readonly at: Point | null;
  readonly countries: ReadonlySet<string>;
  readonly continents: ReadonlySet<string>;
  readonly endpoints: readonly EndpointView[];
  /** What this isolate has seen of them, in their order. */
  readonly seen: readonly Observation[];
  /** Endpoints that have a weight and are not drained, and those of them that are not unhealthy either. */
  readonly total: number;
  readonly eligible: number;
  /** How many well endpoints those are worth: one that comes back, or does badly, counts for a part. */
  readonly ready: number;
  /** Weights for a choice in panic, and for any other. */
  readonly all: Weighted;
  readonly fit: Weighted;
}

export interface EndpointView {
  readonly endpoint: CompiledEndpoint;
  readonly name: number;
  readonly state: EndpointState;
  readonly seen: Observation;
}

/** How a locality stands for one call. */
export interface Standing {
  /** Whether the call may go there: residency. */
  admitted: boolean;
  /** Whether it is to be left out, as an attempt failed there. */
  avoided: boolean;
  /** 0 if the caller's country is at home there, 1 if its continent is, else 2. */
  home: number;
  /** Infinity where nobody knows. */
  km: number;
  /** 0 is used first; -1: none, as it is not admitted or has nobody to send to. */
  tier: number;
  /** Its share of the cluster's calls that are like this one, from 0 to 1. */
  share: number;
  /** Whether health is disregarded there. */
  panic: boolean;
}

/** What an isolate has seen of every cluster, in the config's order, until `now`, and where it is as far as it knows. */
export interface Seen {
  readonly observations: readonly Observations[];
  readonly now: number;
  readonly here?: string | null;
}

/** While shares change by themselves, a snapshot is good for so long. */
const rampMs = 1000;

export function snapshot(
  clusters: readonly CompiledCluster[],
  stateOf: StateOf = () => "unknown",
  seen: Seen = { observations: clusters.map(observe), now: 0 },
  weightOf: WeightOf = configured,
): Snapshot {
  const views = clusters.map((cluster, i) => clusterView(cluster, { stateOf, weightOf }, seen.observations[i]!, seen.now));
  const endings = clusters.flatMap((cluster, i) => seen.observations[i]!.flat().map((one) => changesAt(one, seen.now, cluster)));
  return { clusters: views, until: Math.min(Infinity, ...endings), here: seen.here ?? null };
}

/** Tells the observations which endpoints may be picked by what others say: who may not is nobody's alternative. */
export function markUsable({ clusters }: Snapshot): void {
  for (const { localities } of clusters) {
    for (const { endpoints, all } of localities) {
      for (const [i, { state, seen }] of endpoints.entries()) seen.usable = !isSick(state) && all.upTo[i]! > (all.upTo[i - 1] ?? 0);
    }
  }
}

function changesAt({ ejectedUntil, trialSince, backSince }: Observation, now: number, { slowStartMs, outlier }: CompiledCluster): number {
  if (isEjected(ejectedUntil, now, outlier)) return ejectedUntil;
  if (trialSince > -Infinity) return trialSince + longestTrialMs;
  return now - backSince < slowStartMs ? now + rampMs : Infinity;
}

/** By so much the clocks of isolates may differ that tell each other of ejections. */
const skewMs = 10_000;

/** No ejection is longer than the longest: where one seems so, the clock was put back. */
function isEjected(until: number, now: number, { maxEjectionMs }: CompiledOutlier): boolean {
  return until > now && until - now <= maxEjectionMs + skewMs;
}

function stateNow(known: EndpointState, { ejectedUntil }: Observation, now: number, outlier: CompiledOutlier): EndpointState {
  if (known === "drained" || isSick(known) || ejectedUntil === 0) return known;
  return isEjected(ejectedUntil, now, outlier) ? "ejected" : "probation";
}

function clusterView(cluster: CompiledCluster, { stateOf, weightOf }: { readonly stateOf: StateOf; readonly weightOf: WeightOf }, observations: Observations, now: number): ClusterView {
  const localities = cluster.localities.map((locality, l): LocalityView => {
    const endpoints = locality.endpoints.map((endpoint, e): EndpointView => {
      const seen = observations[l]![e]!;
      return { endpoint, name: hash(`endpoint ${endpoint.url} ${endpoint.binding ?? ""}`), state: stateNow(stateOf(cluster, locality.region, endpoint), seen, now, cluster.outlier), seen };
    });
    const usual = middle(endpoints.map(({ seen }) => seen.latency).filter((ms) => ms > 0));
    const readiness = endpoints.map(({ state, seen }) => (isSick(state) || state === "ejected" ? 0 : readinessOf(seen, now, cluster.slowStartMs)));
    const weight = weightOf(cluster, locality);
    const weights = endpoints.map(({ endpoint, state }) => (state === "drained" ? 0 : weightOf(cluster, locality, endpoint) * weight));
    const fit = weights.map((weight, i) => weight * readiness[i]! * speedOf(endpoints[i]!.seen, usual));
    const { region, priority, at } = locality;
    return {
      region, weight, priority, at, endpoints,
      seen: observations[l]!,
      name: hash(`region ${region}`),
      countries: new Set(locality.countries),
      continents: new Set(locality.continents),
      total: weights.filter((w) => w > 0).length,
      eligible: fit.filter((w) => w > 0).length,
      ready: readiness.reduce((sum, part, i) => sum + (weights[i]! > 0 ? part : 0), 0),
      all: weighted(weights),
      fit: weighted(fit),
    };
  });
  const standings = localities.map((): Standing => ({ admitted: true, avoided: false, home: 2, km: Infinity, tier: -1, share: 0, panic: false }));
  return { cluster, now, name: hash(`cluster ${cluster.name}`), localities, standings };
}

/** The middle value, the lower of two; 0 where there is none. */
function middle(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[(values.length - 1) >> 1] ?? 0;
}
