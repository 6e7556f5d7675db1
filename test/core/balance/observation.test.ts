import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { longestTrialMs, type Observations, observe, type Outcome, readinessOf, record, speedOf } from "../../../worker/core/balance/observation.ts";
import { pickEndpoint } from "../../../worker/core/balance/pick.ts";
import { nowhere } from "../../../worker/core/balance/place.ts";
import { snapshot } from "../../../worker/core/balance/snapshot.ts";
import { cluster, endpoints, locality, route } from "./arbitrary.ts";

const good: Outcome = { code: "ok", by: "answered", ms: 10 };
const error: Outcome = { code: "unavailable", by: "answered", ms: 10 };
const broken: Outcome = { code: "unavailable", by: "transport", ms: 10 };
const silent: Outcome = { code: "deadline_exceeded", by: "silence", ms: 800 };
const near = cluster("c", [locality("near", { endpoints: endpoints("near", 3) }), locality("far", { priority: 1, endpoints: endpoints("far", 3) })], { slowStartMs: 30_000 });

/** A cluster under observation, and its calls. */
function watched(of = near) {
  const observations: Observations = observe(of);
  /** Calls to an endpoint; trials, where it is on probation. */
  const tell = (l: number, e: number, outcome: Outcome, now: number, times = 1) => {
    const one = observations[l]![e]!;
    let last: ReturnType<typeof record>;
    for (let i = 0; i < times; i++) last = record(one, outcome, now, observations, of.outlier, one.ejectedUntil > 0 && one.ejectedUntil <= now);
    return last;
  };
  const at = (now: number) => snapshot([of], undefined, { observations: [observations], now });
  const pick = (now: number, repeatable = true, random = 0) => pickEndpoint(at(now), 0, { route: route(), place: nowhere, key: undefined }, () => random, { tried: [], repeatable });
  return { observations, tell, at, pick, out: (now: number) => observations.flat().filter(({ ejectedUntil }) => ejectedUntil > now).length };
}

describe("an endpoint is ejected", () => {
  test.each([error, broken, silent])("by five failures in a row (%j), and by no fewer", (failure) => {
    const { tell, out } = watched();
    tell(0, 0, failure, 1, 4);
    tell(0, 0, good, 1);
    tell(0, 0, failure, 1, 4);
    expect(out(1)).toBe(0);
    expect(tell(0, 0, failure, 1)).toBe("now");
    expect(out(1)).toBe(1);
  });

  test.each(["canceled", "invalid_argument", "not_found", "resource_exhausted", "unimplemented", "unknown", "deadline_exceeded"] as const)("never by an origin that answers %s", (code) => {
    const { tell, out } = watched();
    tell(0, 0, { ...error, code }, 1, 50);
    expect(out(1)).toBe(0);
  });

  test("never by calls of which nobody can tell", () => {
    const { tell, out } = watched();
    tell(0, 0, { ...silent, by: "left" }, 1, 50);
    expect(out(1)).toBe(0);
  });

  test("by errors only if a tenth of the cluster, or one, is left to eject; by silence in any case", () => {
    fc.assert(fc.property(fc.integer({ min: 1, max: 60 }), (count) => {
      const { tell, out } = watched(cluster("c", [locality("r", { endpoints: endpoints("r", count) })]));
      for (let e = 0; e < count; e++) tell(0, e, error, 1, 20);
      expect(out(1)).toBe(Math.max(1, Math.floor(count / 10)));
      for (let e = 0; e < count; e++) tell(0, e, silent, 1, 20);
      expect(out(1)).toBe(count);
    }));
  });

  test("with its whole locality, where all of it fails by errors and another locality is well", () => {
    const { tell, out, observations } = watched();
    for (let e = 0; e < 3; e++) tell(0, e, error, 1, 5);
    expect(out(1)).toBe(1 + 1);
    for (let e = 0; e < 3; e++) tell(0, e, error, 1);
    expect([out(1), observations[0]!.every(({ ejectedUntil }) => ejectedUntil > 1)]).toEqual([3, true]);
    for (let e = 0; e < 3; e++) tell(1, e, error, 1, 20);
    expect(out(1)).toBe(3);
  });

  test("for longer each time, up to a bound, and for no longer at first once it has been well for a minute", () => {
    const { observations, tell } = watched();
    const one = observations[0]![0]!;
    const times: number[] = [];
    let now = 0;
    for (let i = 0; i < 12; i++) {
      tell(0, 0, broken, now, i === 0 ? 5 : 1);
      times.push(one.ejectedUntil - now);
      now = one.ejectedUntil;
      one.trialSince = now;
    }
    expect(times).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 10, 10].map((n) => n * 30_000));
    tell(0, 0, good, now);
    tell(0, 0, good, now + 60_001);
    tell(0, 0, broken, now + 60_002, 5);
    expect(one.ejectedUntil - now - 60_002).toBe(30_000);
  });
});

describe("an ejected endpoint", () => {
  test("gets no call, and a locality of them leaves all to the next", () => {
    const { tell, pick } = watched();
    for (let e = 0; e < 3; e++) tell(0, e, silent, 0, 5);
    for (let random = 0; random < 1; random += 0.01) expect(pick(29_999, true, random)!.region).toBe("far");
  });

  test("gets one call on probation, which can be repeated, and no other beside it", () => {
    const { tell, pick } = watched();
    for (let e = 0; e < 3; e++) tell(0, e, silent, 0, 5);
    expect(pick(30_000, false)!.region).toBe("far");
    const trials = [pick(30_000)!, pick(30_000)!, pick(30_000)!];
    expect(new Set(trials.map(({ endpoint }) => endpoint.url)).size).toBe(3);
    expect(trials.map(({ region }) => region)).toEqual(["near", "near", "near"]);
    expect(pick(30_000)!.region).toBe("far");
    expect(pick(30_000 + longestTrialMs)!.region).toBe("near");
  });

  test("is not brought back by a call that began before it went, nor kept out by one", () => {
    const { tell, observations, at } = watched();
    tell(0, 0, silent, 0, 5);
    const one = observations[0]![0]!;
    const { ejectedUntil } = one;
    for (const outcome of [good, error, silent]) record(one, outcome, 31_000, observations, near.outlier);
    expect([one.ejectedUntil, one.ejections, at(31_000).clusters[0]!.localities[0]!.endpoints[0]!.state]).toEqual([ejectedUntil, 1, "probation"]);
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
    const { tell, pick, at, observations } = watched();
    for (let e = 0; e < 3; e++) tell(0, e, silent, 0, 5);
    const trial = pick(30_000)!;
    const index = observations[0]!.indexOf(trial.seen);
    tell(0, index, broken, 30_010);
    expect(trial.seen.ejectedUntil).toBe(30_010 + 60_000);
    for (let e = 0; e < 3; e++) if (e !== index) {
      observations[0]![e]!.trialSince = 30_000;
      tell(0, e, good, 30_010);
    }
    const readyAt = (now: number) => at(now).clusters[0]!.localities[0]!.ready;
    const ready = [30_010, 37_510, 45_010, 60_010].map(readyAt);
    expect(ready.map((value) => Math.round(value * 100) / 100)).toEqual([0.2, 0.5, 1, 2]);
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
