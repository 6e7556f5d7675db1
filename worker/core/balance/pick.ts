import type { CompiledCluster, CompiledEndpoint } from "../config/compiled.ts";

export interface Pick {
  readonly endpoint: CompiledEndpoint;
  readonly region: string;
}

/** Chooses an endpoint of the cluster. `random` is uniform in [0, 1). Undefined where every weight is zero. */
export type Picker = (random: number) => Pick | undefined;

/** A picker by weight: a locality's share among localities, then an endpoint's share inside its locality. */
export function picker(cluster: CompiledCluster): Picker {
  const picks: Pick[] = [];
  const upTo: number[] = [];
  let total = 0;
  for (const locality of cluster.localities) {
    const sum = locality.endpoints.reduce((s, endpoint) => s + endpoint.weight, 0);
    for (const endpoint of locality.endpoints) {
      if (locality.weight * endpoint.weight === 0) continue;
      total += (locality.weight * endpoint.weight) / sum;
      picks.push({ endpoint, region: locality.region });
      upTo.push(total);
    }
  }
  return (random) => {
    const at = random * total;
    const index = upTo.findIndex((bound) => at < bound);
    return picks[index === -1 ? picks.length - 1 : index];
  };
}
