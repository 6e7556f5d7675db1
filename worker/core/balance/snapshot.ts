import type { CompiledCluster, CompiledEndpoint } from "../config/compiled.ts";
import type { Point } from "./place.ts";
import { hash } from "./rendezvous.ts";
import { type Weighted, weighted } from "./weighted.ts";

/**
 * What is known of an endpoint. `unknown` is as good as `healthy`; an `unhealthy` one is chosen in panic alone, a
 * `drained` one never.
 */
export type EndpointState = "unknown" | "healthy" | "unhealthy" | "drained";

export type StateOf = (cluster: CompiledCluster, region: string, endpoint: CompiledEndpoint) => EndpointState;

/** All that a pick looks at besides the call, at one instant; built anew when a document that it is made from changes. */
export interface Snapshot {
  /** In the config's order. */
  readonly clusters: readonly ClusterView[];
}

export interface ClusterView {
  readonly cluster: CompiledCluster;
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
  /** Endpoints that have a weight and are not drained, and those of them that are not unhealthy either. */
  readonly total: number;
  readonly eligible: number;
  /** Weights for a choice in panic, and for any other. */
  readonly all: Weighted;
  readonly fit: Weighted;
}

export interface EndpointView {
  readonly endpoint: CompiledEndpoint;
  readonly name: number;
  readonly state: EndpointState;
  /** Calls of this isolate that it has at the moment. */
  pending: number;
}

/** How a locality stands for one call. */
export interface Standing {
  /** Whether the call may go there: residency. */
  admitted: boolean;
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

export function snapshot(clusters: readonly CompiledCluster[], stateOf: StateOf = () => "unknown"): Snapshot {
  return { clusters: clusters.map((cluster) => clusterView(cluster, stateOf)) };
}

function clusterView(cluster: CompiledCluster, stateOf: StateOf): ClusterView {
  const localities = cluster.localities.map((locality): LocalityView => {
    const endpoints = locality.endpoints.map((endpoint): EndpointView => ({
      endpoint,
      name: hash(`endpoint ${endpoint.url} ${endpoint.binding ?? ""}`),
      state: stateOf(cluster, locality.region, endpoint),
      pending: 0,
    }));
    const weights = endpoints.map(({ endpoint, state }) => (state === "drained" ? 0 : endpoint.weight * locality.weight));
    const fit = weights.map((weight, i) => (endpoints[i]!.state === "unhealthy" ? 0 : weight));
    const { region, weight, priority, at } = locality;
    return {
      region, weight, priority, at, endpoints,
      name: hash(`region ${region}`),
      countries: new Set(locality.countries),
      continents: new Set(locality.continents),
      total: weights.filter((w) => w > 0).length,
      eligible: fit.filter((w) => w > 0).length,
      all: weighted(weights),
      fit: weighted(fit),
    };
  });
  const standings = localities.map((): Standing => ({ admitted: true, home: 2, km: Infinity, tier: -1, share: 0, panic: false }));
  return { cluster, name: hash(`cluster ${cluster.name}`), localities, standings };
}
