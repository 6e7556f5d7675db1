import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { explain } from "../../../worker/core/balance/explain.ts";
import { type Picked, pickCluster, pickEndpoint, type Random } from "../../../worker/core/balance/pick.ts";
import { nowhere } from "../../../worker/core/balance/place.ts";
import type { Snapshot } from "../../../worker/core/balance/snapshot.ts";
import { draw, weighted } from "../../../worker/core/balance/weighted.ts";
import type { CompiledCluster } from "../../../worker/core/config/compiled.ts";
import { almostOne, cluster, endpoint, endpoints, hoeffding, locality, route, seeded, seen, statesOf, weight, type World, world } from "./arbitrary.ts";

const ask = { route: route(), place: nowhere, key: undefined };

/** Picks once; the call ends at once. */
function pick(snapshot: Snapshot, asked: World | typeof ask, random: Random): { readonly at: number; readonly picked: Picked | undefined } {
  const at = pickCluster(snapshot, asked, random);
  const picked = pickEndpoint(snapshot, at, asked, random);
  if (picked !== undefined) picked.seen.pending--;
  return { at, picked };
}

/** How often every name came, as shares. */
function frequencies(draws: number, one: () => string): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (let i = 0; i < draws; i++) {
    const name = one();
    counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  return new Map([...counts].map(([name, count]) => [name, count / draws]));
}

/** Both ends of what a random number may be, then many between. */
function everyRandom(seed: number): Random {
  const random = seeded(seed);
  let calls = 0;
  return () => (calls++ < 40 ? (random() < 0.5 ? 0 : almostOne) : random());
}

const undecided = (most: number, choices?: readonly CompiledCluster["choice"][]) => world(most, choices).map((one): World => ({ ...one, key: undefined }));

describe("calls are shared as they are told to be", () => {
  test("a split of 90 and 10 keeps to it over 100,000 picks, within Hoeffding's bound, however sick the canary is", () => {
    const clusters = [cluster("stable", [locality("r")]), cluster("canary", [locality("s")])];
    const snapshot = seen({ clusters, states: new Map([["https://s", "unhealthy"]]) });
    const random = seeded(2026);
    const asked = { ...ask, route: route({ split: [{ cluster: 0, weight: 90 }, { cluster: 1, weight: 10 }] }) };
    const told = frequencies(100_000, () => pick(snapshot, asked, random).picked!.endpoint.url);
    expect(Math.abs(told.get("https://s")! - 0.1)).toBeLessThan(0.0104);
    expect(hoeffding(100_000)).toBeLessThan(0.0104);
  });

  test("over localities and endpoints as explain tells it, in any world", () => {
    const draws = 4000;
    fc.assert(fc.property(undecided(50, ["random"]), fc.integer(), (one, seed) => {
      const [snapshot, random] = [seen(one), seeded(seed)];
      const { localities } = explain(snapshot, one, one.route.split[0]!.cluster, undefined);
      const urls = frequencies(draws, () => pick(snapshot, one, random).picked?.endpoint.url ?? "nothing");
      for (const { region, share, endpoints } of localities) {
        const observed = endpoints.map(({ endpoint }) => urls.get(endpoint) ?? 0);
        expect(Math.abs(observed.reduce((a, b) => a + b, 0) - share), region).toBeLessThan(hoeffding(draws));
        for (const [i, { endpoint, share }] of endpoints.entries()) expect(Math.abs(observed[i]! - share), endpoint).toBeLessThan(hoeffding(draws));
      }
    }), { numRuns: 40 });
  });

  test("over endpoints of the least pending, where they are alike", () => {
    const snapshot = seen({ clusters: [cluster("c", [locality("r", { endpoints: endpoints("r", 4) })], { choice: "least-pending" })], states: new Map() });
    const random = seeded(4);
    const told = frequencies(40_000, () => pick(snapshot, ask, random).picked!.endpoint.url);
    for (const share of told.values()) expect(Math.abs(share - 0.25)).toBeLessThan(hoeffding(40_000));
  });

  // Two are drawn by weight, and then the heavier is taken for being idle at the greater weight: the other gets (1/4)^2.
  test("over idle endpoints of the least pending by their weights, too", () => {
    const snapshot = seen({ clusters: [cluster("c", [locality("r", { endpoints: [endpoint("https://a", 3), endpoint("https://b")] })], { choice: "least-pending" })], states: new Map() });
    const random = seeded(5);
    const told = frequencies(40_000, () => pick(snapshot, ask, random).picked!.endpoint.url);
    expect(Math.abs(told.get("https://b")! - 0.25)).toBeLessThan(hoeffding(40_000));
  });
});

describe("a pick", () => {
  test("never is of an unhealthy endpoint short of panic, nor ever of one that is drained, has no weight or is outside residency", () => {
    fc.assert(fc.property(world(50), fc.integer(), (one, seed) => {
      const [snapshot, random] = [seen(one), everyRandom(seed)];
      const { place: { country = "", continent = "" }, route: { residency, split } } = one;
      const rule = country + continent === "" ? residency.find(({ unplaced }) => unplaced) : (residency.find(({ countries }) => countries.includes(country)) ?? residency.find(({ continents }) => continents.includes(continent)));
      for (let i = 0; i < 150; i++) {
        const { at, picked } = pick(snapshot, one, random);
        expect(split.find((share) => share.cluster === at)!.weight).toBeGreaterThan(0);
        const { localities, standings } = snapshot.clusters[at]!;
        if (picked === undefined) {
          const open = localities.filter(({ region, weight }) => weight > 0 && (rule === undefined || rule.regions.includes(region)));
          expect(open.some(({ endpoints }) => endpoints.some(({ state, endpoint }) => state !== "drained" && endpoint.weight > 0))).toBe(false);
          continue;
        }
        const where = localities.findIndex(({ region }) => region === picked.region);
        const { state } = localities[where]!.endpoints.find(({ endpoint }) => endpoint === picked.endpoint)!;
        expect(state).not.toBe("drained");
        if (state === "unhealthy" || state === "unreached") expect(standings[where]!.panic).toBe(true);
        expect(picked.endpoint.weight * localities[where]!.weight).toBeGreaterThan(0);
        if (rule !== undefined) expect(rule.regions).toContain(picked.region);
      }
    }), { numRuns: 250 });
  });

  test("is nothing where all that residency allows is drained, though the rest is well", () => {
    const snapshot = seen({ clusters: [cluster("c", [locality("eu"), locality("us")])], states: new Map([["https://eu", "drained"]]) });
    const bound = { ...ask, route: route({ residency: [{ countries: [], continents: [], unplaced: true, regions: ["eu"] }] }) };
    for (const random of [() => 0, () => 0.5, () => almostOne]) expect(pickEndpoint(snapshot, 0, bound, random)).toBeUndefined();
  });

  test("in panic stays where residency allows, and disregards health there alone", () => {
    const snapshot = seen({ clusters: [cluster("c", [locality("eu"), locality("us")])], states: new Map([["https://eu", "unhealthy"]]) });
    const bound = { ...ask, route: route({ residency: [{ countries: [], continents: [], unplaced: true, regions: ["eu"] }] }) };
    expect(pickEndpoint(snapshot, 0, bound, seeded(1))?.region).toBe("eu");
    expect(pickEndpoint(snapshot, 0, ask, seeded(1))?.region).toBe("us");
  });

  test("of weights is none of weight 0, at whatever random number", () => {
    const random = fc.oneof(fc.constantFrom(0, almostOne, 0.5), fc.double({ min: 0, max: almostOne, noNaN: true }));
    fc.assert(fc.property(fc.array(fc.oneof(weight, fc.constant(0), fc.double({ min: 0, max: 1, noNaN: true })), { maxLength: 50 }), random, (weights, at) => {
      const drawn = draw(weighted(weights), at);
      if (weights.every((one) => one === 0)) expect(drawn).toBe(-1);
      else expect(weights[drawn]).toBeGreaterThan(0);
    }), { numRuns: 3000 });
  });

  test("at a random number of 0 is the first with a weight, and just below 1 the last: of clusters, localities and endpoints", () => {
    const resting = (name: string) => [endpoint(`https://${name}-0`, 0), endpoint(`https://${name}-1`, 3), endpoint(`https://${name}-2`, 7), endpoint(`https://${name}-3`, 0)];
    const localities = [locality("a", { weight: 0 }), locality("b", { endpoints: resting("b") }), locality("c", { endpoints: resting("c") }), locality("d", { weight: 0 })];
    const snapshot = seen({ clusters: ["w", "x", "y", "z"].map((name) => cluster(name, localities)), states: new Map() });
    const asked = { ...ask, route: route({ split: [0, 1, 1, 0].map((weight, cluster) => ({ cluster, weight })) }) };
    expect(pick(snapshot, asked, () => 0)).toMatchObject({ at: 1, picked: { endpoint: { url: "https://b-1" } } });
    expect(pick(snapshot, asked, () => almostOne)).toMatchObject({ at: 2, picked: { endpoint: { url: "https://c-2" } } });
  });

  test("among the least pending leaves the busy one alone, until its calls are done", () => {
    const snapshot = seen({ clusters: [cluster("c", [locality("r", { endpoints: endpoints("r", 2) })], { choice: "least-pending" })], states: new Map() });
    const drawBoth = (first: number): Random => ((calls) => () => (calls++ % 2 === 0 ? first : 0.75 - first))(0);
    const busy = pickEndpoint(snapshot, 0, ask, () => 0)!;
    expect(busy.endpoint.url).toBe("https://r-0");
    for (const first of [0, 0.75]) {
      const other = pickEndpoint(snapshot, 0, ask, drawBoth(first))!;
      expect(other.endpoint.url).toBe("https://r-1");
      other.seen.pending--;
    }
    busy.seen.pending--;
    expect(snapshot.clusters[0]!.localities[0]!.endpoints.map(({ seen }) => seen.pending)).toEqual([0, 0]);
    expect(pick(snapshot, ask, drawBoth(0)).picked!.endpoint.url).toBe("https://r-0");
  });

  test("among the least pending keeps their calls to one of each other, or twice as many where the weight is twice", () => {
    for (const [heavy, light] of [[1, 1], [2, 1], [10, 5]] as const) {
      const snapshot = seen({ clusters: [cluster("c", [locality("r", { endpoints: [endpoint("https://a", heavy), endpoint("https://b", light)] })], { choice: "least-pending" })], states: new Map() });
      const random = seeded(6);
      for (let i = 0; i < 3000; i++) pickEndpoint(snapshot, 0, ask, random);
      const [a, b] = snapshot.clusters[0]!.localities[0]!.endpoints.map(({ seen }) => seen.pending);
      expect(a! / b!).toBeCloseTo(heavy / light, 1);
    }
  });

  test("in panic is of any endpoint that is not drained", () => {
    const all = endpoints("r", 4);
    const snapshot = seen({ clusters: [cluster("c", [locality("r", { endpoints: all })])], states: new Map(statesOf(all, { sick: 3, drained: 1 })) });
    const random = seeded(7);
    expect([...frequencies(400, () => pick(snapshot, ask, random).picked!.endpoint.url).keys()].toSorted()).toEqual(all.slice(0, 3).map(({ url }) => url));
  });
});
