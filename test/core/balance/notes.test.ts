import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { decodeNotes, encodeNotes, heedEjection, mergeNotes, type Note, type Notes, takeNote, toldOf } from "../../../worker/core/balance/notes.ts";
import { observe, type Observation } from "../../../worker/core/balance/observation.ts";
import { cluster, locality } from "./arbitrary.ts";

const now = 1_795_521_600_000;
const of = cluster("c", [locality("r")]);
const fresh = () => observe(of)[0]![0]!;
const noteOf = (seen: Observation, at: number): Note => ({ ...toldOf(seen), at, turns: 0, sickAt: -Infinity, by: 0, also: 0, mixed: 0 });
const quiet = { now, goodAt: -Infinity, failsHere: false };

const time = fc.oneof(fc.constant(-Infinity), fc.integer({ min: now - 60_000, max: now }));
const note: fc.Arbitrary<Note> = fc.record({
  at: fc.integer({ min: now - 5000, max: now }), ejectedUntil: fc.oneof(fc.constant(0), fc.integer({ min: now - 60_000, max: now + 300_000 })), ejections: fc.nat(5), trialSince: time,
  failures: fc.nat(4), errors: fc.double({ min: 0, max: 1, noNaN: true }).map((x) => x + 0), failedAt: time, goodAt: time, streak: fc.nat(4),
  turns: fc.nat(3), sickAt: time, by: fc.nat(9), also: fc.nat(9), mixed: fc.nat(1),
});
const notes: fc.Arbitrary<Notes> = fc.dictionary(fc.constantFrom("c/r/a", "c/r/b", "c/s/a", "d/r/a"), note).map((entries) => new Map(Object.entries(entries)));

describe("notes", () => {
  test("are merged to the same in whatever order, and however often", () => {
    fc.assert(fc.property(notes, notes, notes, (a, b, c) => {
      expect(mergeNotes(a, b)).toEqual(mergeNotes(b, a));
      expect(mergeNotes(mergeNotes(a, b), c)).toEqual(mergeNotes(a, mergeNotes(b, c)));
      expect(mergeNotes(a, a)).toEqual(a);
    }));
  });

  test("are read as they were written", () => {
    fc.assert(fc.property(notes, (some) => {
      expect(decodeNotes(encodeNotes(some, now), now)).toEqual({ notes: some, strange: [] });
    }));
  });

  test("are forgotten after ten minutes, and not believed from a clock that is far ahead", () => {
    const some = (at: number) => new Map([["c/r/a", noteOf(fresh(), at)]]);
    for (const [at, count] of [[now - 599_999, 1], [now - 600_000, 0], [now + 10_000, 1], [now + 10_001, 0]] as const) expect(decodeNotes(encodeNotes(some(at), at), now).notes.size).toBe(count);
    expect(decodeNotes(encodeNotes(some(now - 600_000), now), now - 600_000).notes.size).toBe(0);
  });

  test("of more endpoints than a board holds are written for the newest", () => {
    const many = new Map(Array.from({ length: 3000 }, (_, i) => [`cluster/region/${"x".repeat(400)}${i}`, noteOf(fresh(), now - i)] as const));
    const bytes = encodeNotes(many, now);
    expect(bytes.length).toBeLessThanOrEqual(256 * 1024);
    const read = decodeNotes(bytes, now).notes;
    expect(read.size).toBeGreaterThan(200);
    expect([...read.keys()]).toEqual([...many.keys()].slice(0, read.size));
  });
});

describe("a board that anybody may have written", () => {
  const written = encodeNotes(new Map([["c/r/a", noteOf(fresh(), now)], ["c/r/b", noteOf(fresh(), now)]]), now);

  test("gives notes that are well formed, or none, and never throws", () => {
    const value = fc.oneof(fc.double(), fc.constantFrom(null, "1", [], {}, true, -1, 1e300, Number.MAX_SAFE_INTEGER), fc.nat());
    const rows = fc.array(fc.oneof(fc.jsonValue(), fc.tuple(fc.string(), ...Array.from({ length: 13 }, () => value)) as fc.Arbitrary<unknown>)).map((some) => new TextEncoder().encode(JSON.stringify(["fairlead-board 2", ...some])));
    const changed = fc.tuple(fc.nat(written.length - 1), fc.nat(255)).map(([at, byte]) => written.map((before, i) => (i === at ? byte : before)));
    const cut = fc.nat(written.length).map((length) => written.slice(0, length));
    fc.assert(fc.property(fc.oneof(fc.uint8Array(), rows, changed, cut), (bytes) => {
      for (const [key, one] of decodeNotes(new Uint8Array(bytes), now).notes) {
        expect(typeof key).toBe("string");
        const seen = fresh();
        takeNote(seen, one, quiet, of.outlier);
        heedEjection(seen, one, now, of.outlier);
        expect(seen.ejectedUntil).toBeLessThanOrEqual(now + of.outlier.maxEjectionMs);
        for (const field of ["failedAt", "goodAt", "trialSince", "backSince"] as const) expect(seen[field]).toBeLessThanOrEqual(now);
        for (const field of ["ejectedUntil", "ejections", "failures", "errors", "streak"] as const) expect(seen[field]).toBeGreaterThanOrEqual(0);
        expect(seen.errors).toBeLessThanOrEqual(1);
      }
    }), { numRuns: 2000 });
  });

  test("is not read where it is too large", () => {
    const large = new TextEncoder().encode(JSON.stringify(["fairlead-board 2", "x".repeat(300_000)]));
    expect(decodeNotes(large, now).notes.size).toBe(0);
  });
});

describe("who takes a note", () => {
  test("lets in what came back elsewhere, with a growing share, and leaves an ejection for others to judge until it is heeded", () => {
    const seen = fresh();
    const ejected = { ...noteOf(fresh(), now), ejectedUntil: now + 5000, ejections: 2, sickAt: now, by: 7 };
    takeNote(seen, ejected, quiet, of.outlier);
    expect([seen.ejectedUntil, seen.errors]).toEqual([0, 0]);
    heedEjection(seen, ejected, now, of.outlier);
    expect([seen.ejectedUntil, seen.ejections]).toEqual([now + 5000, 2]);
    takeNote(seen, { ...noteOf(fresh(), now + 6000), goodAt: now + 6000, turns: 2 }, { ...quiet, now: now + 6001, goodAt: now + 6000 }, of.outlier);
    expect([seen.ejectedUntil, seen.backSince, seen.goodAt]).toEqual([0, now + 6000, now + 6000]);
  });

  test("counts on from the failures of others, unless somebody had a good answer since, and keeps what it knows better", () => {
    const seen = { ...fresh(), failures: 2, failedAt: now, streak: 2 };
    const worse = { ...noteOf(fresh(), now), failures: 4, failedAt: now - 10, streak: 4, sickAt: now - 10 };
    takeNote(seen, worse, { ...quiet, goodAt: now - 5, failsHere: true }, of.outlier);
    expect([seen.failures, seen.failedAt, seen.streak]).toEqual([2, now, 2]);
    takeNote(seen, worse, quiet, of.outlier);
    expect([seen.failures, seen.failedAt, seen.streak]).toEqual([4, now, 2]);
    const good = { ...noteOf(fresh(), now), failures: 0, goodAt: now };
    takeNote(seen, good, { ...quiet, goodAt: now, failsHere: true }, of.outlier);
    expect([seen.failures, seen.streak, seen.goodAt]).toEqual([4, 2, -Infinity]);
    takeNote(seen, good, { ...quiet, goodAt: now }, of.outlier);
    expect([seen.failures, seen.streak, seen.goodAt]).toEqual([0, 0, now]);
  });

  test("goes by the higher of two shares of failures, and half way down to a lower one", () => {
    const seen = { ...fresh(), errors: 0.05 };
    takeNote(seen, { ...noteOf(fresh(), now), errors: 0.15, goodAt: now }, quiet, of.outlier);
    expect(seen.errors).toBeCloseTo(0.15);
    takeNote(seen, { ...noteOf(fresh(), now), errors: 0.05, goodAt: now }, quiet, of.outlier);
    expect(seen.errors).toBeCloseTo(0.1);
  });
});

test("a note of more turns is the newer one, whenever it was made: who had not heard of an ejection does not undo it", () => {
  const ejected = { ...noteOf(fresh(), now), turns: 1, ejectedUntil: now + 5000 };
  const unaware = noteOf(fresh(), now + 3000);
  for (const pair of [[ejected, unaware], [unaware, ejected]] as const) expect(mergeNotes(new Map([["k", pair[0]]]), new Map([["k", pair[1]]])).get("k")).toBe(ejected);
});

test("rows of endpoints that are not known, and from clocks that are ahead, are written on as they were", () => {
  const some = new Map([["c/r/a", noteOf(fresh(), now)], ["d/r/a", noteOf(fresh(), now)], ["c/r/b", noteOf(fresh(), now + 12_000)]]);
  const { notes: mine, strange } = decodeNotes(encodeNotes(some, now), now, (key) => key.startsWith("c/"));
  expect([[...mine.keys()], strange.map(([key]) => key).sort()]).toEqual([["c/r/a"], ["c/r/b", "d/r/a"]]);
  expect(decodeNotes(encodeNotes(mine, now, strange), now + 12_000).notes).toEqual(some);
});
