import type { EndpointView, Snapshot } from "../../worker/core/balance/snapshot.ts";
import type { CompiledConfig } from "../../worker/core/config/compiled.ts";
import type { Choosing } from "../../worker/proxy/choosing.ts";
import { nameOf, regionOf } from "./origins.ts";

/** The endpoints of a region, with what an isolate has seen of them. */
export function endpointsIn({ clusters }: Snapshot, region: string): readonly EndpointView[] {
  return clusters.flatMap(({ localities }) => localities.filter((locality) => locality.region === region).flatMap(({ endpoints }) => endpoints));
}

/**
 * Not built: a prototype, to see what it would be worth. So many failures in a row in a region, at two of its endpoints or more, eject all of
 * it, and one trial that fails there stands for all. `now` is the isolate's clock; `changed` is called where other endpoints went than the one asked.
 */
export function localityEjecting(inner: Choosing, after: number, { clusters }: CompiledConfig, now: () => number, changed: () => void): Choosing {
  const failures = new Map<string, number>();
  return {
    ...inner,
    ended(cluster, picked, outcome) {
      const { seen } = picked;
      const region = regionOf(nameOf(picked.endpoint));
      const before = seen.ejectedUntil;
      inner.ended(cluster, picked, outcome);
      if (outcome.by === "left") return;
      const count = outcome.code === "ok" ? 0 : (failures.get(region) ?? 0) + 1;
      failures.set(region, count);
      if (count === 0) return;
      const all = endpointsIn(inner.snapshot(), region).map((view) => view.seen);
      const { baseEjectionMs, maxEjectionMs } = clusters[cluster]!.outlier;
      const failedTrial = before > 0 && seen.ejectedUntil > before;
      const failing = all.filter((one) => one.failures > 0 || one.ejectedUntil > 0).length;
      const others = failedTrial ? all.filter((one) => one.ejectedUntil > 0) : count >= after && failing > 1 ? all.filter((one) => one.ejectedUntil === 0) : [];
      for (const one of others) {
        if (one === seen && failedTrial) continue;
        one.ejections = failedTrial ? seen.ejections : one.ejections + 1;
        one.ejectedUntil = failedTrial ? seen.ejectedUntil : now() + Math.min(baseEjectionMs * one.ejections, maxEjectionMs);
        one.failures = 0;
      }
      if (others.length > 0) changed();
    },
  };
}

/**
 * Not built, likewise: an endpoint of whose calls lately this share failed (from 0 to 1) is ejected though no failures came in a row, unless
 * another one of the cluster is out.
 */
export function rateEjecting(inner: Choosing, share: number, { clusters }: CompiledConfig, now: () => number, changed: () => void): Choosing {
  return {
    ...inner,
    ended(cluster, picked, outcome) {
      inner.ended(cluster, picked, outcome);
      const { seen } = picked;
      if (outcome.by === "left" || seen.ejectedUntil > 0 || seen.errors < share) return;
      const others = inner.snapshot().clusters[cluster]!.localities.flatMap(({ endpoints }) => endpoints);
      if (others.some((other) => other.seen.ejectedUntil > now())) return;
      const { baseEjectionMs, maxEjectionMs } = clusters[cluster]!.outlier;
      seen.ejections++;
      seen.ejectedUntil = now() + Math.min(baseEjectionMs * seen.ejections, maxEjectionMs);
      seen.failures = 0;
      changed();
    },
  };
}
