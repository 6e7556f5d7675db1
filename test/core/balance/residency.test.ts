import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { record } from "../../../worker/core/balance/ejection.ts";
import { type Observation, observe, type Outcome, watched } from "../../../worker/core/balance/observation.ts";
import { pickEndpoint } from "../../../worker/core/balance/pick.ts";
import { readPlace } from "../../../worker/core/balance/place.ts";
import { snapshot } from "../../../worker/core/balance/snapshot.ts";
import { cluster, endpoints, locality, route, seeded } from "./arbitrary.ts";

const good: Outcome = { code: "ok", by: "answered", ms: 10 };
const broken: Outcome = { code: "unavailable", by: "transport", ms: 10 };
const silent: Outcome = { code: "deadline_exceeded", by: "silence", ms: 800 };

/** Each rule binds the callers of one country. */
const countries = ["DE", "FR", "US"] as const;
const world = fc.integer({ min: 2, max: 4 }).chain((count) => fc.record({
  sizes: fc.array(fc.integer({ min: 1, max: 4 }), { minLength: count, maxLength: count }),
  rules: fc.array(fc.subarray(Array.from({ length: count }, (_, l) => `r${l}`), { minLength: 1 }), { minLength: 1, maxLength: countries.length }),
}));

function play({ sizes, rules }: { readonly sizes: readonly number[]; readonly rules: readonly (readonly string[])[] }) {
  const of = cluster("c", sizes.map((size, l) => locality(`r${l}`, { endpoints: endpoints(`r${l}`, size), priority: l })));
  const bound = route({ residency: rules.map((regions, i) => ({ countries: [countries[i]!], continents: [], unplaced: false, regions })) });
  const observations = observe(of);
  const all = watched(observations, 0, { clusters: [of], routes: [bound] });
  const call = (country: string, now: number, random: () => number, outcome: Outcome) => {
    const at = snapshot([of], undefined, { observations: [observations], now });
    const picked = pickEndpoint(at, 0, { route: bound, place: readPlace({ country }), key: undefined }, random, { tried: [], repeatable: random() < 0.5 });
    if (picked !== undefined) record(picked, outcome, now, all, of.outlier);
    return picked;
  };
  return { of, observations, all, call };
}

describe("a caller whom residency binds", () => {
  const step = fc.record({ country: fc.constantFrom(...countries, "JP"), outcome: fc.constantFrom(good, broken, broken, silent), later: fc.constantFrom(0, 10, 1000, 6000, 31_000) });

  test("is served in its regions and nowhere else, whatever is ejected there", () => {
    fc.assert(fc.property(world, fc.array(step, { maxLength: 60 }), fc.integer(), ({ sizes, rules }, steps, seed) => {
      const { call } = play({ sizes, rules });
      let now = 0;
      for (const { country, outcome, later } of steps) {
        const picked = call(country, (now += later), seeded(seed + now), outcome);
        const rule = rules[countries.indexOf(country as (typeof countries)[number])];
        if (rule === undefined) expect(picked).toBeDefined();
        else expect(rule).toContain(picked?.region);
      }
    }), { numRuns: 300 });
  });

  test("loses no endpoint that has not failed itself, unless another of its regions is well", () => {
    fc.assert(fc.property(world, fc.array(step, { maxLength: 60 }), fc.integer(), ({ sizes, rules }, steps, seed) => {
      const { observations, call, of } = play({ sizes, rules });
      const isWell = ({ ejectedUntil, failures }: Observation): boolean => ejectedUntil === 0 && failures === 0;
      let now = 0;
      for (const { country, outcome, later } of steps) {
        const before = observations.map((neighbours) => neighbours.map((one) => ({ ...one })));
        const picked = call(country, (now += later), seeded(seed + now), outcome);
        const at = of.localities.findIndex(({ region }) => region === picked?.region);
        const taken = observations[at]!.filter((one, e) => one !== picked!.seen && one.ejectedUntil > 0 && before[at]![e]!.ejectedUntil === 0 && before[at]![e]!.failures < of.outlier.consecutiveFailures);
        if (taken.length === 0) continue;
        for (const rule of rules.filter((regions) => regions.includes(picked!.region))) {
          expect(before.some((neighbours, l) => l !== at && rule.includes(`r${l}`) && neighbours.some(isWell))).toBe(true);
        }
      }
    }), { numRuns: 1000 });
  });

  test.each([{ regions: ["r0"], kept: true }, { regions: ["r0", "r1"], kept: false }])("to $regions loses the whole of r0 by three failures at two of its endpoints, unless it is all there is", ({ regions, kept }) => {
    const { of, observations, all } = play({ sizes: [3, 1], rules: [regions] });
    for (const [now, e] of [0, 1, 0].entries()) record({ seen: observations[0]![e]!, neighbours: observations[0]!, trial: 0 }, broken, 1 + now, all, of.outlier);
    expect(observations[0]![2]!.ejectedUntil === 0).toBe(kept);
  });
});
