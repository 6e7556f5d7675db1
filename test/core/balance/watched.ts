import { record } from "../../../worker/core/balance/ejection.ts";
import { type Observations, observe, type Outcome } from "../../../worker/core/balance/observation.ts";
import { pickEndpoint } from "../../../worker/core/balance/pick.ts";
import { nowhere } from "../../../worker/core/balance/place.ts";
import { snapshot } from "../../../worker/core/balance/snapshot.ts";
import { cluster, endpoints, locality, route } from "./arbitrary.ts";

export const good: Outcome = { code: "ok", by: "answered", ms: 10 };
export const error: Outcome = { code: "unavailable", by: "answered", ms: 10 };
export const broken: Outcome = { code: "unavailable", by: "transport", ms: 10 };
export const silent: Outcome = { code: "deadline_exceeded", by: "silence", ms: 800 };
/** What five failures in a row do, by itself. */
export const inRow = { consecutiveFailures: 5, localityFailures: 0, failureRate: 1, baseEjectionMs: 30_000, maxEjectionMs: 300_000, maxEjected: 0.1 };
export const near = cluster("c", [locality("near", { endpoints: endpoints("near", 3) }), locality("far", { priority: 1, endpoints: endpoints("far", 3) })], { slowStartMs: 30_000, outlier: inRow });

/** A cluster under observation, and its calls. */
export function watched(of = near) {
  const observations: Observations = observe(of);
  /** Calls to an endpoint; trials, where it is on probation. */
  const tell = (l: number, e: number, outcome: Outcome, now: number, times = 1) => {
    const one = observations[l]![e]!;
    let last: ReturnType<typeof record>;
    for (let i = 0; i < times; i++) last = record({ seen: one, neighbours: observations[l]!, trial: one.ejectedUntil <= now ? one.ejectedUntil : 0 }, outcome, now, { localities: observations, bounds: [] }, of.outlier);
    return last;
  };
  const at = (now: number) => snapshot([of], undefined, { observations: [observations], now });
  const pick = (now: number, repeatable = true, random = 0) => pickEndpoint(at(now), 0, { route: route(), place: nowhere, key: undefined }, () => random, { tried: [], repeatable });
  return { observations, tell, at, pick, out: (now: number) => observations.flat().filter(({ ejectedUntil }) => ejectedUntil > now).length };
}
