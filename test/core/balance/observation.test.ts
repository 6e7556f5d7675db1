import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Asked, record } from "../../../worker/core/balance/ejection.ts";
import { longestTrialMs, type Observations, observe, type Outcome, readinessOf, speedOf } from "../../../worker/core/balance/observation.ts";
import { pickEndpoint } from "../../../worker/core/balance/pick.ts";
import { nowhere } from "../../../worker/core/balance/place.ts";
import { markUsable, snapshot } from "../../../worker/core/balance/snapshot.ts";
import { cluster, endpoints, locality, route, seeded } from "./arbitrary.ts";

const good: Outcome = { code: "ok", by: "answered", ms: 10 };
const error: Outcome = { code: "unavailable", by: "answered", ms: 10 };
const broken: Outcome = { code: "unavailable", by: "transport", ms: 10 };
const silent: Outcome = { code: "deadline_exceeded", by: "silence", ms: 800 };
/** What five failures in a row do, by itself. */
const inRow = { consecutiveFailures: 5, localityFailures: 0, failureRate: 1, baseEjectionMs: 30_000, maxEjectionMs: 300_000, maxEjected: 0.1 };
const near = cluster("c", [locality("near", { endpoints: endpoints("near", 3) }), locality("far", { priority: 1, endpoints: endpoints("far", 3) })], { slowStartMs: 30_000, outlier: inRow });

/** A cluster under observation, and its calls. */
function watched(of = near) {
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
      const { tell, out } = watched(cluster("c", [locality("r", { endpoints: endpoints("r", count) })], { outlier: inRow }));
      for (let e = 0; e < count; e++) tell(0, e, error, 1, 20);
      expect(out(1)).toBe(Math.max(1, Math.floor(count / 10)));
      for (let e = 0; e < count; e++) tell(0, e, silent, 1, 20);
      expect(out(1)).toBe(count);
    }));
  });

  test("with its whole locality, where all of it fails by errors and another locality is well", () => {
    const { tell, out, observations } = watched();
    for (let e = 0; e < 3; e++) tell(0, e, error, 1, e === 2 ? 4 : 5);
    expect(out(1)).toBe(1);
    tell(0, 2, error, 1);
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

describe("a locality is ejected as a whole", () => {
  const ruled = { ...near, outlier: { ...inRow, consecutiveFailures: 100, localityFailures: 3 } };
  const unavailable = fc.constantFrom(broken, silent);

  test("by three failures in a row at two of its endpoints or more, and by no fewer; never by those of one", () => {
    fc.assert(fc.property(fc.array(fc.record({ e: fc.nat(2), outcome: fc.oneof({ weight: 3, arbitrary: unavailable }, { weight: 1, arbitrary: fc.constant(good) }) }), { maxLength: 8 }), (calls) => {
      const { tell, out } = watched(ruled);
      let row: number[] = [];
      for (const [i, { e, outcome }] of calls.entries()) {
        tell(0, e, outcome, 1 + i);
        row = outcome === good ? [] : [...row, e];
        const isOut = row.length >= 3 && new Set(row).size >= 2;
        expect(out(1 + i)).toBe(isOut ? 3 : 0);
        if (isOut) return;
      }
    }), { numRuns: 500 });
  });

  test.each([broken, silent])("only while another one is well (%j)", (failure) => {
    const { tell, out, observations } = watched(ruled);
    for (const one of observations[1]!) one.failures = 1;
    for (let e = 0; e < 3; e++) tell(0, e, failure, 10 + e);
    expect(out(12)).toBe(0);
    observations[1]![0]!.failures = 0;
    tell(0, 0, failure, 20);
    expect(out(20)).toBe(3);
  });

  test("never the last one of a cluster, whatever happens", () => {
    fc.assert(fc.property(fc.array(fc.tuple(fc.nat(1), fc.nat(2), fc.oneof(unavailable, fc.constant(good)), fc.constantFrom(0, 1, 1000, 12_000)), { maxLength: 60 }), (calls) => {
      const { tell, observations } = watched(ruled);
      let now = 0;
      for (const [l, e, outcome, later] of calls) {
        now += later;
        tell(l, e, outcome, now);
        expect(observations.filter((locality) => locality.every(({ ejectedUntil }) => ejectedUntil > 0)).length).toBeLessThan(2);
      }
    }));
  });

  test.each([error, { ...error, code: "internal" }, { ...silent, by: "late" }] as const)("never in a row by what may be the request's fault (%j)", (failure) => {
    const { tell, out } = watched(ruled);
    for (let e = 0; e < 3; e++) tell(0, e, failure, e, 5);
    expect(out(3)).toBe(0);
  });

  test.each(["drained", "unhealthy", "unreached"] as const)("only while another one may be picked: none that is %s", (state) => {
    const { tell, out, observations } = watched(ruled);
    const known = snapshot([ruled], (_cluster, region) => (region === "far" ? state : "unknown"), { observations: [observations], now: 0 });
    markUsable(known);
    for (let e = 0; e < 3; e++) tell(0, e, broken, e);
    expect(out(3)).toBe(0);
    markUsable(snapshot([ruled], undefined, { observations: [observations], now: 4 }));
    tell(0, 0, broken, 4);
    expect(out(4)).toBe(3);
  });

  test("not by failures that are far apart", () => {
    const { tell, out } = watched(ruled);
    for (let i = 0; i < 9; i++) tell(0, i % 3, broken, i * 20_000);
    expect(out(160_000)).toBe(0);
  });

  test("not where the policy says never", () => {
    const { tell, out } = watched();
    for (let i = 0; i < 12; i++) tell(0, i % 3, broken, i);
    expect(out(12)).toBe(0);
  });
});

describe("an endpoint that answered nobody in all the time of the route", () => {
  test("gets a smaller share, and is never ejected for it", () => {
    const { tell, out, at } = watched({ ...near, outlier: { ...inRow, localityFailures: 3, failureRate: 0.3 } });
    for (let e = 0; e < 3; e++) for (let i = 0; i < 20; i++) expect(tell(0, e, { ...silent, by: "late" }, i)).toBe("soon");
    expect([out(20), at(20).clusters[0]!.localities[0]!.ready]).toEqual([0, expect.closeTo(0.3)]);
  });
});

test.each(["unknown", "deadline_exceeded"] as const)("an answer of %s is neither a failure nor an end of a row of failures", (code) => {
  const { tell, out } = watched();
  tell(0, 0, error, 1, 4);
  tell(0, 0, { ...error, code }, 1, 10);
  expect(out(1)).toBe(0);
  tell(0, 0, error, 1);
  expect(out(1)).toBe(1);
});

describe("an endpoint that fails too often", () => {
  const ruled = { ...near, outlier: { ...inRow, failureRate: 0.3 } };
  const everySecond = (calls: number, tell: ReturnType<typeof watched>["tell"], now: number) => {
    for (let i = 0; i < calls; i++) tell(0, 0, i % 2 === 0 ? error : good, now + i);
  };

  test("is ejected after nine calls of which every second failed, and no second one beside it", () => {
    const { tell, out } = watched(ruled);
    everySecond(8, tell, 0);
    expect(out(8)).toBe(0);
    tell(0, 0, error, 9);
    expect(out(9)).toBe(1);
    for (let i = 0; i < 30; i++) tell(0, 1, i % 2 === 0 ? error : good, 10 + i);
    expect(out(40)).toBe(1);
  });

  test("is ejected again by two failures in the minute after it came back, and later by as many as ever", () => {
    for (const [after, ejected] of [[1000, 1], [60_000, 0]] as const) {
      const { tell, out } = watched(ruled);
      everySecond(9, tell, 0);
      tell(0, 0, good, 40_000);
      tell(0, 0, error, 40_000 + after, 2);
      expect(out(40_000 + after)).toBe(ejected);
    }
  });

  test("is not ejected for failures in one row that are too few by the rule for rows", () => {
    const { tell, out } = watched(ruled);
    for (let i = 0; i < 10; i++) {
      tell(0, 0, error, i, 4);
      tell(0, 0, good, i, 30);
      expect(out(i)).toBe(0);
    }
    tell(0, 0, error, 10, 5);
    expect(out(10)).toBe(1);
  });

  test("is never ejected by one call in twenty that fails, however they fall into blocks", () => {
    fc.assert(fc.property(fc.array(fc.nat(19), { minLength: 50, maxLength: 50 }), (places) => {
      const { tell, observations } = watched(ruled);
      for (const [block, place] of places.entries()) for (let i = 0; i < 20; i++) tell(0, 0, i === place ? error : good, block * 20 + i);
      expect(observations[0]![0]!.ejections).toBe(0);
    }));
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
