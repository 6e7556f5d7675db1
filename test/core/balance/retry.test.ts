import { describe, expect, test } from "vitest";
import { hedgeAfter, pushbackOfLimit, retryAfter, retryBudget } from "../../../worker/core/balance/retry.ts";
import type { CompiledRetry } from "../../../worker/core/config/compiled.ts";

const policy: CompiledRetry = { maxAttempts: 3, codes: ["unavailable"], perTryTimeoutMs: 800, hedgingDelayMs: null };
const failed = { code: "unavailable", unreached: false, pushback: null } as const;

describe("another attempt", () => {
  test("is made where the code is worth it and the method may be repeated, or the request surely did not reach the origin", () => {
    expect(retryAfter(policy, failed, true, 1, 0.5)).toBeDefined();
    expect(retryAfter(policy, failed, false, 1, 0.5)).toBeUndefined();
    expect(retryAfter(policy, { ...failed, code: "internal" }, true, 1, 0.5)).toBeUndefined();
    expect(retryAfter(policy, { ...failed, unreached: true }, false, 1, 0.5)).toBeDefined();
  });
  test("waits longer each time, give or take a fifth", () => {
    expect([1, 2, 3, 4].map((made) => retryAfter(policy, failed, true, made, 0.5))).toEqual([20, 80, 320, 500]);
    expect([0, 1].map((random) => Math.round(retryAfter(policy, failed, true, 1, random)!))).toEqual([16, 24]);
  });
  test.each([["0", 0], ["150", 150], ["-1", Infinity], ["soon", Infinity], ["", Infinity], ["9999999", Infinity]])("is made when the origin says %j", (pushback, wait) => {
    expect(retryAfter(policy, { ...failed, pushback }, true, 1, 0.5)).toBe(wait);
  });
});

test.each([["2", 2000], ["0", 0], ["999", 999_000], [null, Infinity], ["", Infinity], ["-1", Infinity], ["1.5", Infinity], ["1000", Infinity], ["Tue, 24 Nov 2026 12:00:00 GMT", Infinity]])("after HTTP 429 with retry-after %j another attempt waits", (retryAfterHeader, wait) => {
  expect(retryAfter(policy, { ...failed, pushback: pushbackOfLimit(retryAfterHeader) }, true, 1, 0.5)).toBe(wait);
});

describe("an attempt beside one that is silent", () => {
  test("begins after the time that the policy gives an attempt, or twice the usual time of a slow method", () => {
    expect([0, 5, 1000].map((usual) => hedgeAfter(policy, false, usual))).toEqual([800, 800, 2000]);
  });
  test("begins after the usual time, at least 50 ms, where a second attempt is wanted early", () => {
    expect([0, 5, 120, 1500].map((usual) => hedgeAfter(policy, true, usual))).toEqual([300, 50, 120, 1500]);
    expect(hedgeAfter({ ...policy, hedgingDelayMs: 70 }, true, 500)).toBe(70);
  });
});

test("further attempts are a fifth of the calls in the long run, and 500 at a stroke", () => {
  const budget = retryBudget();
  const spend = (times: number) => {
    let made = 0;
    for (; made < times && budget.has(); made++) budget.spend();
    return made;
  };
  expect(spend(1000)).toBe(500);
  let spent = 0;
  for (let call = 0; call < 10_000; call++) {
    budget.earn();
    spent += spend(3);
  }
  expect(Math.abs(spent - 2000)).toBeLessThanOrEqual(1);
});
