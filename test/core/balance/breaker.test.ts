import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Admitted, breaker, type Breaker, type End, leases } from "../../../worker/core/balance/breaker.ts";

const limits = { maxConnections: null, maxPendingRequests: null, maxRequests: null, maxRetries: null };

/** What happens to calls, in whatever order: one begins and has so long; the n-th ends, or vanishes without a word; time passes. */
const step = fc.oneof(
  fc.record({ what: fc.constant("begin" as const), by: fc.integer({ min: 1, max: 100 }) }),
  fc.record({ what: fc.constantFrom("end" as const, "end" as const, "vanish" as const), by: fc.nat(20) }),
  fc.record({ what: fc.constant("pass" as const), by: fc.nat(60) }),
);

describe("leases", () => {
  test("are never more than there may be, are never refused while one is left, and all come back, whatever calls do", () => {
    fc.assert(fc.property(fc.integer({ min: 1, max: 6 }), fc.array(step, { maxLength: 60 }), (most, steps) => {
      const taken = leases(most);
      let now = 0;
      let calls: { deadline: number; end: End }[] = [];
      const isOut = ({ deadline }: { deadline: number }) => deadline >= now;
      let vanished: { deadline: number }[] = [];
      for (const { what, by } of steps) {
        if (what === "pass") now += by;
        else if (what === "begin") {
          const out = [...calls, ...vanished].filter(isOut).length;
          const end = taken.take(now, now + by);
          expect(end !== undefined).toBe(out < most);
          if (end !== undefined) calls.push({ deadline: now + by, end });
        } else if (calls.length > 0) {
          const one = calls[by % calls.length]!;
          calls = calls.filter((other) => other !== one);
          if (what === "vanish") vanished.push(one);
          else {
            one.end();
            if (by % 2 === 0) one.end();
          }
        }
        vanished = vanished.filter(isOut);
        expect(taken.out(now)).toBe([...calls, ...vanished].filter(isOut).length);
      }
      expect(taken.out(now + 101)).toBe(0);
      for (const { end } of calls) end();
      expect(taken.out(now)).toBe(0);
      for (let i = 0; i < most; i++) expect(taken.take(now + 101, now + 200)).toBeDefined();
      expect(taken.take(now + 101, now + 200)).toBeUndefined();
    }), { numRuns: 500 });
  });
});

describe("a breaker", () => {
  const begin = (one: Breaker): Admitted => {
    const admitted = one.call(0, 10);
    if ("over" in admitted) throw new Error(admitted.over);
    return admitted;
  };

  test("bounds calls, attempts, unanswered attempts and further attempts, each by its own limit", () => {
    for (const limit of ["maxRequests", "maxConnections", "maxPendingRequests"] as const) {
      const one = breaker({ ...limits, [limit]: 1 });
      begin(one);
      expect(one.call(0, 10)).toEqual({ over: limit });
    }
    const retries = breaker({ ...limits, maxRetries: 1 });
    expect(retries.further(0, 10)).not.toHaveProperty("over");
    expect(retries.further(0, 10)).toEqual({ over: "maxRetries" });
    begin(retries);
  });

  test("counts an attempt as pending until it is answered, and as a connection until it ends", () => {
    const one = breaker({ ...limits, maxConnections: 2, maxPendingRequests: 1 });
    const { first } = begin(one);
    expect(one.call(0, 10)).toEqual({ over: "maxPendingRequests" });
    first.answered();
    begin(one).first.answered();
    expect(one.call(0, 10)).toEqual({ over: "maxConnections" });
    first.end();
    begin(one);
  });

  test("takes nothing of one limit for what another refuses", () => {
    const one = breaker({ maxRequests: 1, maxConnections: 1, maxPendingRequests: 1, maxRetries: 0 });
    for (let i = 0; i < 5; i++) expect(one.further(0, 10)).toEqual({ over: "maxRetries" });
    const call = begin(one);
    call.end();
    for (let i = 0; i < 5; i++) expect(one.call(0, 10)).toEqual({ over: "maxConnections" });
    call.first.end();
    begin(one);
  });

  test("without limits refuses nothing", () => {
    const one = breaker(limits);
    for (let i = 0; i < 10_000; i++) expect([begin(one), one.further(0, 10)].some((answer) => "over" in answer)).toBe(false);
  });
});
