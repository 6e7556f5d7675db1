import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { markUsable, snapshot } from "../../../worker/core/balance/snapshot.ts";
import { cluster, endpoints, locality } from "./arbitrary.ts";
import { broken, error, good, inRow, near, silent, watched } from "./watched.ts";

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

test("a trial that fails does not shorten how long its neighbours are out, nor how often they were", () => {
  const { observations, tell } = watched();
  const [one, other] = [observations[0]![0]!, observations[0]![1]!];
  for (const each of observations[0]!) Object.assign(each, { ejectedUntil: 1000, ejections: 1 });
  Object.assign(other, { ejectedUntil: 200_000, ejections: 9 });
  one.trialSince = 1000;
  tell(0, 0, broken, 1000);
  expect([one.ejections, one.ejectedUntil]).toEqual([2, 61_000]);
  expect([other.ejections, other.ejectedUntil]).toEqual([9, 200_000]);
});

test("a clock that is put back ejects nobody for longer than the longest time", () => {
  const { observations, tell, at } = watched();
  const state = (now: number) => at(now).clusters[0]!.localities[0]!.endpoints[0]!.state;
  tell(0, 0, broken, 3_600_000, 5);
  expect(state(3_600_001)).toBe("ejected");
  expect(state(1000)).toBe("probation");
  expect(observations[0]![0]!.ejectedUntil).toBeGreaterThan(3_600_000);
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
