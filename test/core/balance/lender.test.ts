import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type CallOut, type Lender, lender } from "../../../worker/core/balance/lender.ts";

const none = { maxConnections: null, maxPendingRequests: null, maxRequests: null, maxRetries: null };
const bound = fc.option(fc.integer({ min: 1, max: 5 }));
const bounds = fc.record({ maxConnections: bound, maxPendingRequests: bound, maxRequests: bound, maxRetries: fc.option(fc.nat(3)) });

/** What happens to calls, in whatever order: one begins and has so long; one has another attempt, is answered, ends or is given back twice; time passes; the lender is put out of memory and comes back. */
const step = fc.record({ what: fc.constantFrom("begin" as const, "begin" as const, "further" as const, "answered" as const, "end" as const, "pass" as const, "restart" as const), by: fc.nat(40) });

interface Open {
  readonly call: number;
  readonly deadline: number;
  readonly attempts: Map<number, { pending: boolean }>;
}

/** What a model of it has out of each limit. */
function counted(calls: readonly Open[]) {
  const attempts = calls.flatMap(({ attempts }) => [...attempts]);
  return { maxRequests: calls.length, maxConnections: attempts.length, maxPendingRequests: attempts.filter(([, { pending }]) => pending).length, maxRetries: attempts.filter(([attempt]) => attempt > 0).length };
}

function over(limits: Record<string, number | null>, out: Record<string, number>, wanted: readonly string[]): string | undefined {
  return wanted.find((limit) => limits[limit] !== null && out[limit]! >= limits[limit]!);
}

describe("a lender", () => {
  test("lends exactly what is left, whatever calls do, and remembers all of it when it is put out of memory", () => {
    fc.assert(fc.property(bounds, fc.array(step, { maxLength: 80 }), (limits, steps) => {
      let now = 1000;
      let one: Lender = lender(limits, now);
      let calls: Open[] = [];
      for (const { what, by } of steps) {
        const open = calls[by % Math.max(calls.length, 1)];
        const out = counted(calls);
        if (what === "pass") now += by;
        else if (what === "restart") one = lender(limits, now, structuredClone(one.out(now)));
        else if (what === "begin") {
          const answer = one.begin(now, now + by);
          const refused = over(limits, out, ["maxRequests", "maxConnections", "maxPendingRequests"]);
          expect("over" in answer ? answer.over : undefined).toBe(refused);
          if ("call" in answer) calls.push({ call: answer.call, deadline: now + by, attempts: new Map([[0, { pending: true }]]) });
        } else if (open === undefined) continue;
        else if (what === "further") {
          const ended = [...open.attempts.keys()].filter((attempt) => (attempt + by) % 2 === 0);
          for (const attempt of ended) open.attempts.delete(attempt);
          const answer = one.further(now, open.call, ended)!;
          const refused = over(limits, counted(calls), ["maxConnections", "maxPendingRequests", "maxRetries"]);
          expect("over" in answer ? answer.over : undefined).toBe(refused);
          if ("attempt" in answer) open.attempts.set(answer.attempt, { pending: true });
        } else if (what === "answered") {
          const attempt = [...open.attempts.keys()][by % Math.max(open.attempts.size, 1)] ?? 0;
          one.answered(open.call, attempt);
          if (open.attempts.has(attempt)) open.attempts.get(attempt)!.pending = false;
        } else {
          one.end(open.call);
          if (by % 2 === 0) one.end(open.call);
          calls = calls.filter((other) => other !== open);
        }
        calls = calls.filter(({ deadline }) => deadline >= now);
        expect(summary(one.out(now))).toEqual(summary(calls.map(({ call, deadline, attempts }) => ({ call, deadline, attempts: Array.from(attempts, ([attempt, { pending }]) => ({ attempt, pending })) }))));
      }
    }), { numRuns: 1000 });
  });

  test("does not know calls that are over, or of another time, and gives no number twice", () => {
    const one = lender(none, 1000);
    const call = begun(one, 1000);
    expect(one.further(1000, call, [])).toEqual({ attempt: 1 });
    expect([one.further(1000, call + 1, []), one.further(1011, call, [])]).toEqual([undefined, undefined]);
    const next = lender({ ...none, maxRequests: 1 }, 1001, one.out(1001));
    expect(next.begin(1001, 1010)).toEqual({ over: "maxRequests" });
    next.end(call);
    const other = begun(next, 1001);
    expect(other).not.toBe(call);
    next.end(call);
    expect(next.begin(1001, 1010)).toEqual({ over: "maxRequests" });
  });

  test("forgets calls that nobody gives back", () => {
    const one = lender(none, 0);
    for (let now = 0; now < 10_000; now++) begun(one, now);
    expect(one.out(10_000).length).toBe(10);
  });
});

function begun(one: Lender, now: number): number {
  const answer = one.begin(now, now + 10);
  if ("over" in answer) throw new Error(answer.over);
  return answer.call;
}

function summary(calls: readonly CallOut[]): string[] {
  return calls.map((one) => JSON.stringify({ ...one, attempts: one.attempts.toSorted((a, b) => a.attempt - b.attempt) })).sort();
}
