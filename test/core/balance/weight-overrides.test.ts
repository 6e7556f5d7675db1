import fc from "fast-check";
import { expect, test } from "vitest";
import { observe } from "../../../worker/core/balance/observation.ts";
import { snapshot } from "../../../worker/core/balance/snapshot.ts";
import type { CompiledCluster } from "../../../worker/core/config/compiled.ts";
import { endpointKey, localityKey } from "../../../worker/core/balance/endpoint-key.ts";
import { weightOf } from "../../../worker/core/health/states.ts";
import { weight, world } from "./arbitrary.ts";

test("weights that operators set do what the config's would do in their place", () => {
  fc.assert(fc.property(world(4), fc.infiniteStream(fc.option(weight)), ({ clusters, states }, drawn) => {
    const weights: { target: string; weight: number; since: number }[] = [];
    const set = (target: string, before: number): number => {
      const next = drawn.next().value as number | null;
      if (next !== null) weights.push({ target, weight: next, since: 0 });
      return next ?? before;
    };
    const written = clusters.map((cluster): CompiledCluster => ({
      ...cluster,
      localities: cluster.localities.map((locality) => ({
        ...locality,
        weight: set(localityKey(cluster.name, locality.region), locality.weight),
        endpoints: locality.endpoints.map((endpoint) => ({ ...endpoint, weight: set(endpointKey(cluster.name, locality.region, endpoint), endpoint.weight) })),
      })),
    }));
    const stateOf = (_cluster: CompiledCluster, _region: string, { url }: { readonly url: string }) => states.get(url) ?? "unknown";
    const seen = () => ({ observations: clusters.map(observe), now: 0 });
    const sharesOf = (of: ReturnType<typeof snapshot>) => of.clusters.map(({ localities }) => localities.map(({ weight, total, eligible, ready, all, fit }) => ({ weight, total, eligible, ready, all, fit })));
    expect(sharesOf(snapshot(clusters, stateOf, seen(), weightOf({ writtenAt: 0, drains: [], weights })))).toEqual(sharesOf(snapshot(written, stateOf, seen())));
  }));
});
