import { endpointKey, keysAbove, localityKey } from "../balance/endpoint-key.ts";
import type { EndpointState, StateOf, WeightOf } from "../balance/snapshot.ts";
import type { Overrides } from "./overrides.ts";
import { type EndpointHealth, type HealthTable, isFresh } from "./table.ts";

/**
 * What is known of each endpoint at this instant. Drained wins over whatever was probed; a table that is too old, or from
 * too far in the future, tells nothing, and neither does one of a cluster that is not probed any more. `here` is the region of probes
 * that is near, or null.
 */
export function stateOf(table: HealthTable | null, overrides: Overrides | null, now: number, here: string | null = null): StateOf {
  const drained = new Set(overrides?.drains.map(({ target }) => target));
  const probed = table !== null && isFresh(table, now) ? table.endpoints : undefined;
  return (cluster, region, endpoint) => {
    if (drained.size > 0 && keysAbove(cluster.name, region, endpoint).some((key) => drained.has(key))) return "drained";
    const health = cluster.healthCheck === null ? undefined : probed?.get(endpointKey(cluster.name, region, endpoint));
    return health === undefined ? "unknown" : seenFrom(health, here);
  };
}

function seenFrom({ state, regions }: EndpointHealth, here: string | null): EndpointState {
  const unreached = state === "healthy" && here !== null && regions.get(here)?.state === "unhealthy";
  return unreached ? "unreached" : state;
}

/** The weights of localities and endpoints: an operator's goes before the config's, an endpoint's whole key before its URL. */
export function weightOf(overrides: Overrides | null): WeightOf {
  const weights = new Map(overrides?.weights.map(({ target, weight }) => [target, weight]));
  return ({ name }, locality, endpoint) => {
    if (weights.size === 0) return (endpoint ?? locality).weight;
    if (endpoint === undefined) return weights.get(localityKey(name, locality.region)) ?? locality.weight;
    return weights.get(endpointKey(name, locality.region, endpoint)) ?? weights.get(endpointKey(name, locality.region, { ...endpoint, binding: null })) ?? endpoint.weight;
  };
}
