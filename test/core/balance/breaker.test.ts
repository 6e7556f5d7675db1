import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { breaker, type End, leases } from "../../../worker/core/balance/breaker.ts";

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
  test("bounds calls, attempts, unanswered attempts and further attempts, each by its own limit", () => {
    const calls = breaker({ ...limits, maxRequests: 1 });
    expect(calls.call(0, 10)).not.toHaveProperty("over");
    expect(calls.call(0, 10)).toEqual({ over: "maxRequests" });
    expect(calls.attempt(0, 10, true)).not.toHaveProperty("over");
    for (const [limit, further] of [["maxConnections", false], ["maxPendingRequests", false], ["maxRetries", true]] as const) {
      const one = breaker({ ...limits, [limit]: 1 });
      expect(one.attempt(0, 10, further)).not.toHaveProperty("over");
      expect(one.attempt(0, 10, further)).toEqual({ over: limit });
    }
    const retries = breaker({ ...limits, maxRetries: 0 });
    expect(retries.attempt(0, 10, true)).toEqual({ over: "maxRetries" });
    expect(retries.attempt(0, 10, false)).not.toHaveProperty("over");
  });

  test("counts an attempt as pending until it is answered, and as a connection until it ends", () => {
    const one = breaker({ ...limits, maxConnections: 2, maxPendingRequests: 1 });
    const first = one.attempt(0, 10, false);
    if ("over" in first) throw new Error(first.over);
    expect(one.attempt(0, 10, false)).toEqual({ over: "maxPendingRequests" });
    first.answered();
    const second = one.attempt(0, 10, false);
    if ("over" in second) throw new Error(second.over);
    second.answered();
    expect(one.attempt(0, 10, false)).toEqual({ over: "maxConnections" });
    first.end();
    expect(one.attempt(0, 10, false)).not.toHaveProperty("over");
  });

  test("takes nothing of one limit for an attempt that another refuses", () => {
    const one = breaker({ maxRequests: null, maxConnections: 1, maxPendingRequests: 1, maxRetries: 0 });
    for (let i = 0; i < 5; i++) expect(one.attempt(0, 10, true)).toEqual({ over: "maxRetries" });
    expect(one.attempt(0, 10, false)).not.toHaveProperty("over");
  });

  test("without limits refuses nothing", () => {
    for (const one of [breaker(null), breaker(limits)]) for (let i = 0; i < 10_000; i++) expect([one.call(0, 10), one.attempt(0, 10, true)].some((answer) => "over" in answer)).toBe(false);
  });
});
