import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Asked, record } from "../../../worker/core/balance/ejection.ts";
import { longestTrialMs, observe, readinessOf, speedOf } from "../../../worker/core/balance/observation.ts";
import { pickEndpoint } from "../../../worker/core/balance/pick.ts";
import { nowhere } from "../../../worker/core/balance/place.ts";
import { cluster, endpoints, locality, route, seeded } from "./arbitrary.ts";
import { broken, error, good, inRow, near, silent, watched } from "./watched.ts";

describe("an ejected endpoint", () => {
  test("gets no call, and a locality of them leaves all to the next", () => {
    const { tell, pick } = watched();
    for (let e = 0; e < 3; e++) tell(0, e, silent, 0, 5);
    for (let random = 0; random < 1; random += 0.01) expect(pick(29_999, true, random)!.region).toBe("far");
  });

  test("gets one call on probation, which can be repeated, and no other beside it", () => {
    const { tell, pick } = watched();
    for (let e = 0; e < 2; e++) tell(0, e, silent, 0, 5);
    const trialsAt = (now: number) => Array.from({ length: 100 }, (_, i) => pick(now, true, i / 100)!).filter(({ trial }) => trial > 0).map(({ endpoint }) => endpoint.url);
    expect(pick(30_000, false)!.trial).toBe(0);
    expect(trialsAt(30_000).sort()).toEqual(["https://near-0", "https://near-1"]);
    expect(trialsAt(30_000 + longestTrialMs - 1)).toEqual([]);
    expect(trialsAt(30_000 + longestTrialMs).sort()).toEqual(["https://near-0", "https://near-1"]);
  });

  test("shares one call on probation with its locality, where all of it is out", () => {
    const { tell, pick, at, observations } = watched();
    for (let e = 0; e < 3; e++) tell(0, e, silent, e, 5);
    const trial = pick(30_002)!;
    expect([trial.region, trial.trial, pick(30_002)!.region]).toEqual(["near", trial.seen.ejectedUntil, "far"]);
    tell(0, observations[0]!.indexOf(trial.seen), broken, 30_010);
    expect(observations[0]!.map(({ ejectedUntil, ejections, trialSince }) => [ejectedUntil, ejections, trialSince])).toEqual(Array.from({ length: 3 }, () => [90_010, 2, -Infinity]));
    const again = pick(90_010)!;
    tell(0, observations[0]!.indexOf(again.seen), good, 90_020);
    const random = seeded(1);
    const after = Array.from({ length: 200 }, () => pickEndpoint(at(90_020), 0, { route: route(), place: nowhere, key: undefined }, random, { tried: [], repeatable: true })!);
    expect(new Set(after.filter(({ trial }) => trial).map(({ endpoint }) => endpoint.url)).size).toBe(2);
    expect(after.filter(({ trial }) => trial).length).toBe(2);
  });

  test("is not brought back by a call that began before it went, nor kept out by one", () => {
    const { tell, observations, at } = watched();
    tell(0, 0, silent, 0, 5);
    const one = observations[0]![0]!;
    const { ejectedUntil } = one;
    for (const outcome of [good, error, silent]) record({ seen: one, neighbours: observations[0]!, trial: 0 } satisfies Asked, outcome, 31_000, { localities: observations, bounds: [] }, near.outlier);
    expect([one.ejectedUntil, one.ejections, at(31_000).clusters[0]!.localities[0]!.endpoints[0]!.state]).toEqual([ejectedUntil, 1, "probation"]);
  });

  test("of which three trials fail at one instant is ejected once more, not thrice", () => {
    const { tell, observations, pick } = watched(cluster("c", [locality("r", { endpoints: endpoints("r", 1) })], { outlier: inRow }));
    tell(0, 0, silent, 0, 5);
    const trials = Array.from({ length: 3 }, () => pick(30_000)!);
    for (const trial of trials) record(trial, broken, 30_010, { localities: observations, bounds: [] }, inRow);
    expect(observations[0]![0]).toMatchObject({ ejections: 2, ejectedUntil: 30_010 + 60_000 });
  });

  test("that was let back by others while it was tried is not ejected again by that one failure", () => {
    const { tell, observations, pick } = watched();
    for (let e = 0; e < 3; e++) tell(0, e, silent, 0, 5);
    const trial = pick(30_000)!;
    Object.assign(trial.seen, { ejectedUntil: 0, backSince: 30_005 });
    expect([record(trial, { ...error, code: "internal" }, 30_010, { localities: observations, bounds: [] }, inRow), trial.seen.ejectedUntil]).toEqual(["soon", 0]);
  });

  test("is found out about by a call that cannot be repeated, where no other comes", () => {
    const { tell, pick } = watched();
    for (let e = 0; e < 3; e++) tell(0, e, silent, 0, 5);
    expect(pick(30_000 + longestTrialMs - 1, false)!.region).toBe("far");
    expect(pick(30_000 + longestTrialMs, false)!.region).toBe("near");
  });

  test("that is the only one takes every call, ejected or on probation", () => {
    const { tell, pick } = watched(cluster("c", [locality("r", { endpoints: endpoints("r", 1) })]));
    tell(0, 0, silent, 0, 5);
    for (const now of [1, 29_999, 30_000, 30_001, 60_000]) {
      expect(pick(now, true)?.region).toBe("r");
      expect(pick(now, false)?.region).toBe("r");
    }
  });

  test("that fails its trial is out again at once; one that passes comes back with a growing share", () => {
    const { tell, at, observations } = watched(cluster("c", [locality("near", { endpoints: endpoints("near", 4) })], { slowStartMs: 30_000, outlier: inRow }));
    for (let e = 0; e < 3; e++) tell(0, e, silent, 0, 5);
    tell(0, 0, broken, 30_010);
    expect(observations[0]!.map(({ ejectedUntil }) => ejectedUntil)).toEqual([30_010 + 60_000, 30_000, 30_000, 0]);
    for (let e = 1; e < 3; e++) tell(0, e, good, 30_010);
    const readyAt = (now: number) => at(now).clusters[0]!.localities[0]!.ready;
    const ready = [30_010, 37_510, 45_010, 60_010].map(readyAt);
    expect(ready.map((value) => Math.round(value * 100) / 100)).toEqual([1.2, 1.5, 2, 3]);
  });
});

describe("the part of its weight that an endpoint gets", () => {
  test("is whole where all is well, and falls with failures and with being slower than its neighbours, not to nothing", () => {
    fc.assert(fc.property(fc.double({ min: 0, max: 1, noNaN: true }), fc.double({ min: 0, max: 1, noNaN: true }), fc.double({ min: 1, max: 1000, noNaN: true }), (a, b, latency) => {
      const [one] = observe(near)[0]!;
      const factor = (errors: number, ms: number) => readinessOf({ ...one!, errors }, 0, 0) * speedOf({ ...one!, latency: ms }, 10);
      expect(factor(0, 20)).toBe(1);
      expect(factor(Math.max(a, b), latency)).toBeLessThanOrEqual(factor(Math.min(a, b), latency));
      expect(factor(a, latency)).toBeLessThanOrEqual(factor(a, 10));
      expect(factor(a, latency)).toBeGreaterThanOrEqual(0.01);
    }));
  });

  test("of one that fails every second call is small long before five fail in a row", () => {
    const { observations, tell, at } = watched();
    for (let i = 0; i < 30; i++) tell(0, 0, i % 2 === 0 ? error : { ...good, ms: 100 }, 0);
    for (let e = 1; e < 3; e++) tell(0, e, good, 0, 30);
    expect(observations[0]![0]!.ejections).toBe(0);
    const { fit } = at(0).clusters[0]!.localities[0]!;
    expect(fit.upTo[0]! / fit.sum).toBeLessThan(0.05);
  });
});

test("who refuses fast draws no calls to itself, and a stream says nothing of speed", () => {
  const { observations, tell } = watched();
  tell(0, 0, { code: "not_found", by: "answered", ms: 1 }, 0, 50);
  tell(0, 1, { ...good, ms: 0 }, 0, 50);
  expect(observations[0]!.map(({ latency }) => latency)).toEqual([0, 0, 0]);
});
