import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { judge } from "../../../worker/core/health/judge.ts";
import { type HealthTable, tableMaxAgeMs } from "../../../worker/core/health/table.ts";
import { anyTable, check, health, noon, result, table } from "./tables.ts";

const checks = new Map([["a", check()], ["b", check()]]);

/** Judges results of "a", one sweep every 10 s, and tells its state after each. */
function statesAfter(outcomes: readonly boolean[], from: HealthTable | null = null): string[] {
  let now = noon;
  let last = from;
  return outcomes.map((healthy) => {
    now += 10_000;
    last = judge(last, [result("a", healthy, now)], checks, now).table;
    return last.endpoints.get("a")!.state;
  });
}

describe("thresholds", () => {
  const up = "healthy";
  const down = "unhealthy";
  test("the first result of a new endpoint counts at once", () => {
    expect(statesAfter([true])).toEqual([up]);
    expect(statesAfter([false])).toEqual([down]);
  });

  test("three failures in a row make an endpoint unhealthy, two successes in a row healthy again", () => {
    expect(statesAfter([true, false, false, true, false, false, false, true, false, true, true])).toEqual([up, up, up, up, up, up, down, down, down, down, up]);
  });

  test("a state changes if and only if its threshold was reached by the results up to then", () => {
    fc.assert(fc.property(fc.array(fc.boolean(), { minLength: 1, maxLength: 40 }), (outcomes) => {
      const states = statesAfter(outcomes);
      for (let i = 1; i < outcomes.length; i++) {
        const contrary = states[i - 1] === up ? [false, false, false] : [true, true];
        const run = outcomes.slice(Math.max(0, i + 1 - contrary.length), i + 1);
        const flips = run.length === contrary.length && run.every((one, j) => one === contrary[j]) && outcomes[i] !== (states[i - 1] === up);
        expect(states[i] !== states[i - 1]).toBe(flips);
      }
    }));
  });

  test("a table that is too old to be believed, or from the future, is judged anew", () => {
    for (const writtenAt of [noon - tableMaxAgeMs - 60_000, noon + 2 * tableMaxAgeMs]) {
      expect(statesAfter([false], table({ a: health() }, { writtenAt }))).toEqual([down]);
    }
  });
});

describe("a write is due", () => {
  const settled = table({ a: health(), b: health({ state: "unhealthy", successes: 0, failures: 9 }) });
  const due = (outcomes: readonly [string, boolean][], after = 10_000, from: HealthTable | null = settled) => judge(from, outcomes.map(([key, healthy]) => result(key, healthy)), checks, noon + after).due;

  test("not where nothing changed", () => expect(due([["a", true], ["b", false]])).toBeNull());
  test("every two minutes nevertheless", () => {
    expect(due([["a", true], ["b", false]], 100_000)).toBeNull();
    expect(due([["a", true], ["b", false]], 119_000)).toBe("heartbeat");
    expect(due([], 120_000)).toBe("heartbeat");
  });
  test("where an endpoint is on its way to another state, and off it again: whoever sweeps next may know no more than what was written", () => {
    expect(due([["a", false]])).toBe("streak");
    expect(due([["b", true]])).toBe("streak");
    expect(due([["a", true]], 10_000, table({ ...Object.fromEntries(settled.endpoints), a: health({ successes: 0, failures: 2 }) }))).toBe("streak");
  });
  test("where one flipped, came or went", () => {
    expect(due([["a", false]], 10_000, table({ a: health({ successes: 0, failures: 2 }), b: health() }))).toBe("flip");
    expect(due([["b", true]], 10_000, table({ a: health() }))).toBe("flip");
    expect(due([], 10_000, table({ a: health(), gone: health() }))).toBe("flip");
    expect(due([["a", true]], 10_000, null)).toBe("flip");
  });
  test("less than a thousand times on a steady day, by the minute or every ten seconds", () => {
    for (const step of [60_000, 10_000]) {
      let last: HealthTable | null = null;
      let writes = 0;
      for (let now = noon; now < noon + 86_400_000; now += step) {
        const judged = judge(last, [result("a", true, now), result("b", false, now)], checks, now);
        if (judged.due !== null) writes++;
        last = judged.table;
      }
      expect(writes).toBeLessThan(1000);
    }
  });
});

test("what a table becomes names the endpoints of the config that were ever probed, whatever it was before", () => {
  fc.assert(fc.property(anyTable, fc.subarray(["a", "b", "unheard-of"]), fc.boolean(), (before, keys, healthy) => {
    const from = { ...before, writtenAt: noon, endpoints: new Map([...before.endpoints, ["a", health()]]) };
    const { table: after, flips, due } = judge(from, keys.map((key) => result(key, healthy)), checks, noon);
    expect([...after.endpoints.keys()].every((key) => checks.has(key))).toBe(true);
    expect(after.endpoints.has("a")).toBe(true);
    expect(after.endpoints.has("b")).toBe(keys.includes("b") || before.endpoints.has("b"));
    for (const flip of flips) expect(after.endpoints.get(flip.key)?.state).toBe(flip.to);
    if (due === null) expect(after.revision).toBe(from.revision);
  }));
});

test("why an endpoint was taken out is kept until it is well again", () => {
  const sick = table({ a: health({ state: "unhealthy", detail: "NOT_SERVING", successes: 0, failures: 3 }) });
  const once = judge(sick, [result("a", true)], checks, noon).table;
  expect(once.endpoints.get("a")).toMatchObject({ state: "unhealthy", detail: "NOT_SERVING", successes: 1, since: noon });
  expect(judge(once, [result("a", true)], checks, noon).table.endpoints.get("a")).toMatchObject({ state: "healthy", detail: "" });
});
