import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { endpointKey, keysAbove } from "../../../worker/core/balance/endpoint-key.ts";
import { stateOf, weightOf } from "../../../worker/core/health/states.ts";
import { tableMaxAgeMs } from "../../../worker/core/health/table.ts";
import { dueTargets, sweepInterval, targetsOf } from "../../../worker/core/health/targets.ts";
import { cluster, endpoint, locality } from "../balance/arbitrary.ts";
import { check, health, noon, table } from "./tables.ts";

const one = endpoint("https://one");
const bound = { ...endpoint("https://two"), binding: "TWO" };
const users = cluster("users", [locality("eu", { endpoints: [one, bound] }), locality("us", { endpoints: [one] })], { healthCheck: check() });
const known = table({ "users/eu/https://one": health({ state: "unhealthy" }), "users/eu/https://two via TWO": health() });
const drained = (...targets: string[]) => ({ writtenAt: noon, drains: targets.map((target) => ({ target, reason: "", since: noon })), weights: [] });

function states(overrides = drained(), now = noon, of = users, from: typeof known | null = known): string[] {
  const state = stateOf(from, overrides, now);
  return of.localities.flatMap(({ region, endpoints }) => endpoints.map((e) => state(of, region, e)));
}

describe("the state of an endpoint", () => {
  test("is what the table says, unknown where it says nothing", () => expect(states()).toEqual(["unhealthy", "healthy", "unknown"]));
  test("is unknown for all where there is no table, or one from another time", () => {
    const unknown = ["unknown", "unknown", "unknown"];
    expect(states(drained(), noon, users, null)).toEqual(unknown);
    expect(states(drained(), noon + tableMaxAgeMs + 1)).toEqual(unknown);
    expect(states(drained(), noon - tableMaxAgeMs - 1)).toEqual(unknown);
    expect(states(drained(), noon + tableMaxAgeMs)).not.toEqual(unknown);
  });
  test("is unknown in a cluster that is not probed any more", () => expect(states(drained(), noon, { ...users, healthCheck: null })).toEqual(["unknown", "unknown", "unknown"]));
  test.each([
    ["users", ["drained", "drained", "drained"]],
    ["users/eu", ["drained", "drained", "unknown"]],
    ["users/eu/https://two", ["unhealthy", "drained", "unknown"]],
    ["users/eu/https://two via TWO", ["unhealthy", "drained", "unknown"]],
    ["users/us/https://one", ["unhealthy", "healthy", "drained"]],
    ["user", ["unhealthy", "healthy", "unknown"]],
  ])("is drained by %s, whatever was probed", (target, expected) => {
    expect(states(drained(target))).toEqual(expected);
    expect(states(drained("other", target), noon + 2 * tableMaxAgeMs).filter((state) => state === "drained")).toEqual(expected.filter((state) => state === "drained"));
  });
});

test("no two endpoints share a key, whatever their region is called", () => {
  const name = fc.stringMatching(/^[a-z%/ ]{1,6}$/);
  const url = fc.constantFrom("https://a", "https://a/b", "https://b");
  const parts = fc.tuple(fc.constantFrom("x", "x.y"), name, url, fc.constantFrom(null, "A", "B"));
  fc.assert(fc.property(parts, parts, (a, b) => {
    const key = ([c, r, u, binding]: typeof a) => endpointKey(c, r, { url: u, binding });
    expect(key(a) === key(b)).toBe(JSON.stringify(a) === JSON.stringify(b));
    const above = keysAbove(a[0], a[1], { url: a[2], binding: a[3] });
    expect(above.includes(`${b[0]}/${b[1]}`) && !/[%/\s]/.test(b[1])).toBe(a[0] === b[0] && a[1] === b[1] && !/[%/\s]/.test(b[1]));
  }));
});

describe("a sweep", () => {
  const targets = targetsOf([users, cluster("plain", [locality("eu")])]);
  test("probes the endpoints of the clusters that ask for it, at the shortest interval of all", () => {
    expect([...targets.keys()]).toEqual(["users/eu/https://one", "users/eu/https://two via TWO", "users/us/https://one"]);
    expect(sweepInterval([users, cluster("slow", [locality("eu")], { healthCheck: check({ intervalMs: 60_000 }) })])).toBe(10_000);
    expect(sweepInterval([cluster("plain", [locality("eu")])])).toBeUndefined();
    // The table is written every two minutes all the same.
    expect(sweepInterval([cluster("slow", [locality("eu")], { healthCheck: check({ intervalMs: 600_000 }) })])).toBe(60_000);
  });
  test("takes those whose interval has passed, the flipping ones first and then the ones that waited longest", () => {
    const before = table({
      "users/eu/https://one": health({ probedAt: noon - 10_000 }),
      "users/eu/https://two via TWO": health({ probedAt: noon - 9_500, failures: 1, successes: 0 }),
    });
    const due = (now: number) => dueTargets(targets, before, now).map(({ key }) => key);
    expect(due(noon)).toEqual(["users/eu/https://two via TWO", "users/us/https://one", "users/eu/https://one"]);
    expect(due(noon - 5001)).toEqual(["users/us/https://one"]);
  });
  test("takes those that were probed in the future, as no clock can be that wrong for long", () => {
    expect(dueTargets(targets, table({ "users/eu/https://one": health({ probedAt: noon + 3_600_000 }) }), noon)).toHaveLength(3);
  });
});

describe("the weight of a locality or an endpoint", () => {
  const weights = (...weighed: [string, number][]) => {
    const of = weightOf({ writtenAt: noon, drains: [], weights: weighed.map(([target, weight]) => ({ target, weight, since: noon })) });
    return users.localities.map((place) => [of(users, place), ...place.endpoints.map((e) => of(users, place, e))]);
  };
  test("is the config's where nobody set another", () => {
    expect(weights()).toEqual([[1, 1, 1], [1, 1]]);
    expect(weights(["users", 5], ["eu", 5], ["users/eu/https://three", 5])).toEqual([[1, 1, 1], [1, 1]]);
  });
  test("is what was set for a locality, an endpoint's URL, or that with its binding, which goes first", () => {
    expect(weights(["users/eu", 3], ["users/us/https://one", 0])).toEqual([[3, 1, 1], [1, 0]]);
    expect(weights(["users/eu/https://two", 4])).toEqual([[1, 1, 4], [1, 1]]);
    expect(weights(["users/eu/https://two", 4], ["users/eu/https://two via TWO", 9])).toEqual([[1, 1, 9], [1, 1]]);
  });
});
