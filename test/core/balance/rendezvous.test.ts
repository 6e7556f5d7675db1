import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { pickCluster, pickEndpoint } from "../../../worker/core/balance/pick.ts";
import { nowhere } from "../../../worker/core/balance/place.ts";
import { hash, mostWanted } from "../../../worker/core/balance/rendezvous.ts";
import type { EndpointState } from "../../../worker/core/balance/snapshot.ts";
import type { CompiledCluster, CompiledRoute } from "../../../worker/core/config/compiled.ts";
import { cluster, endpoint, endpoints, hoeffding, locality, route, seeded, seen } from "./arbitrary.ts";

type Weights = Readonly<Record<string, number>>;
const never = (): never => {
  throw new Error("a random number was asked for");
};
const sticky = (pins: "cluster" | "endpoint"): CompiledRoute["sticky"] => ({ by: "header", name: "x-user", pins });
const keys = Array.from({ length: 500 }, (_, i) => `user-${i * 7919}`);

/** The cluster of every key, of a split by name and weight. */
function clusterOf(weights: Weights): ReadonlyMap<string, string> {
  const clusters = Object.keys(weights).map((name) => cluster(name, [locality("r")]));
  const split = Object.values(weights).map((weight, cluster) => ({ cluster, weight }));
  const snapshot = seen({ clusters, states: new Map() });
  return new Map(keys.map((key) => [key, clusters[pickCluster(snapshot, { route: route({ split, sticky: sticky("cluster") }), place: nowhere, key }, never)]!.name]));
}

/** The endpoint of every key. */
function endpointOf(one: CompiledCluster, states: ReadonlyMap<string, EndpointState> = new Map(), some: readonly string[] = keys): ReadonlyMap<string, string> {
  const snapshot = seen({ clusters: [one], states });
  const pinned = route({ sticky: sticky("endpoint") });
  return new Map(some.map((key) => [key, pickEndpoint(snapshot, 0, { route: pinned, place: nowhere, key }, never)!.endpoint.url]));
}

function moved(before: ReadonlyMap<string, string>, after: ReadonlyMap<string, string>): { readonly from: string; readonly to: string }[] {
  return [...before].map(([key, from]) => ({ from, to: after.get(key)! })).filter(({ from, to }) => from !== to);
}

function frequency(values: Iterable<string>): Map<string, number> {
  const counts = new Map<string, number>();
  let all = 0;
  for (const value of values) {
    counts.set(value, (counts.get(value) ?? 0) + 1);
    all++;
  }
  return new Map([...counts].map(([value, count]) => [value, count / all]));
}

const name = fc.string({ minLength: 1, maxLength: 12 }).filter((text) => text !== "__proto__" && !/^\d+$/.test(text));
const weights = fc.dictionary(name, fc.integer({ min: 1, max: 1_000_000 }), { minKeys: 1, maxKeys: 6, noNullPrototype: true });

describe("a cluster that comes, goes or changes its weight moves only the keys that it gets or gives", () => {
  test("when it comes, they come to it; when it goes, they go from it", () => {
    fc.assert(fc.property(weights, name, fc.integer({ min: 1, max: 1_000_000 }), (others, changed, weight) => {
      fc.pre(!Object.hasOwn(others, changed));
      const [without, withIt] = [clusterOf(others), clusterOf({ ...others, [changed]: weight })];
      for (const { to } of moved(without, withIt)) expect(to).toBe(changed);
      for (const { from } of moved(withIt, without)) expect(from).toBe(changed);
      expect(moved(clusterOf({ ...others, [changed]: 0 }), without)).toEqual([]);
    }), { numRuns: 60 });
  });

  test("when it gets more weight, they only come; less, they only go", () => {
    fc.assert(fc.property(weights, fc.nat(), fc.integer({ min: 2, max: 1_000_000 }), (others, which, weight) => {
      const changed = Object.keys(others)[which % Object.keys(others).length]!;
      const [less, more] = [clusterOf({ ...others, [changed]: weight - 1 }), clusterOf({ ...others, [changed]: weight * 3 })];
      for (const { to } of moved(less, more)) expect(to).toBe(changed);
      for (const { from } of moved(more, less)) expect(from).toBe(changed);
    }), { numRuns: 60 });
  });

  test("and neither the order nor the scale of the weights moves any", () => {
    fc.assert(fc.property(weights, fc.integer({ min: 2, max: 1000 }), (some, by) => {
      const entries = Object.entries(some);
      expect(moved(clusterOf(some), clusterOf(Object.fromEntries(entries.toReversed())))).toEqual([]);
      expect(moved(clusterOf(some), clusterOf(Object.fromEntries(entries.map(([one, weight]) => [one, weight * by]))))).toEqual([]);
    }), { numRuns: 60 });
  });
});

describe("keys spread by weight", () => {
  const draws = 100_000;
  test.each([{ stable: 90, canary: 10 }, { a: 1, b: 1, c: 1 }, { v1: 999, v2: 1 }, { x: 0, y: 3, z: 5 }])("over the clusters of %j, be the keys numbered or random", (weights: Weights) => {
    const [names, all] = [Object.keys(weights), Object.values(weights).reduce((a, b) => a + b, 0)];
    const random = seeded(1);
    for (const key of [(i: number) => `user-${i}`, (i: number) => `192.0.2.${i % 256}:${i}`, () => String(random())]) {
      const told = frequency(Array.from({ length: draws }, (_, i) => names[mostWanted(hash(key(i)), names.length, (at) => hash(names[at]!), (at) => weights[names[at]!]!)]!));
      for (const one of names) expect(Math.abs((told.get(one) ?? 0) - weights[one]! / all), one).toBeLessThan(hoeffding(draws));
    }
  });

  test("over the localities and endpoints of a cluster, which differ for each cluster that a key may have", () => {
    const one = cluster("c", [locality("x", { endpoints: [endpoint("https://a", 3), endpoint("https://b"), endpoint("https://rests", 0)] }), locality("y", { weight: 3 })]);
    const some = Array.from({ length: draws }, (_, i) => `user-${i}`);
    const told = frequency(endpointOf(one, new Map(), some).values());
    expect(told.has("https://rests")).toBe(false);
    for (const [url, share] of [["https://a", 3 / 16], ["https://b", 1 / 16], ["https://y", 3 / 4]] as const) expect(Math.abs(told.get(url)! - share)).toBeLessThan(hoeffding(draws));
  });

  test("no worse than chance allows: the chi-square of 16 equal clusters is below its 1e-9 quantile for 15 degrees", () => {
    const told = frequency(Array.from({ length: draws }, (_, i) => String(mostWanted(hash(`user-${i}`), 16, (at) => hash(`cluster-${at}`), () => 1))));
    const chiSquare = [...told.values()].reduce((all, share) => all + (draws * (share - 1 / 16) ** 2) / (1 / 16), 0);
    expect(told.size).toBe(16);
    expect(chiSquare).toBeLessThan(77.6);
  });

  test("over the localities of a cluster that is called like one of them", () => {
    const both = [locality("eu"), locality("us")];
    const snapshot = seen({ clusters: [cluster("eu", both), cluster("us", both)], states: new Map() });
    const split = [{ cluster: 0, weight: 1 }, { cluster: 1, weight: 1 }];
    const regions = keys.map((key) => {
      const ask = { route: route({ split, sticky: sticky("endpoint") }), place: nowhere, key };
      const at = pickCluster(snapshot, ask, never);
      return `${at} ${pickEndpoint(snapshot, at, ask, never)!.region}`;
    });
    expect(new Set(regions)).toEqual(new Set(["0 eu", "0 us", "1 eu", "1 us"]));
  });
});

describe("a pinned endpoint that leaves moves only its own keys", () => {
  const change = fc.constantFrom("unhealthy", "drained", "removed", "weight 0");
  test("of one locality", () => {
    fc.assert(fc.property(fc.array(fc.integer({ min: 1, max: 1000 }), { minLength: 4, maxLength: 12 }), fc.nat(), change, (some, which, how) => {
      const all = some.map((weight, i) => endpoint(`https://e${i}`, weight));
      const { url } = all[which % all.length]!;
      const left = how === "removed" ? all.filter((one) => one.url !== url) : how === "weight 0" ? all.map((one) => (one.url === url ? { ...one, weight: 0 } : one)) : all;
      const states = new Map<string, EndpointState>(how === "unhealthy" || how === "drained" ? [[url, how]] : []);
      const before = endpointOf(cluster("c", [locality("r", { endpoints: all })]));
      const after = endpointOf(cluster("c", [locality("r", { endpoints: left })]), states);
      for (const { from } of moved(before, after)) expect(from).toBe(url);
      expect([...after.values()]).not.toContain(url);
    }), { numRuns: 60 });
  });

  test("of a locality among others, as long as its share need not change; else keys leave that locality alone, and for another", () => {
    fc.assert(fc.property(fc.integer({ min: 2, max: 8 }), fc.integer({ min: 1, max: 7 }), (size, sick) => {
      fc.pre(sick < size);
      const one = cluster("c", ["x", "y", "z"].map((region) => locality(region, { endpoints: endpoints(region, size) })));
      const gone = new Set(one.localities[0]!.endpoints.slice(0, sick).map(({ url }) => url));
      const moves = moved(endpointOf(one), endpointOf(one, new Map([...gone].map((url) => [url, "unhealthy"]))));
      const suffices = 1.4 * (size - sick) >= size;
      for (const { from, to } of moves) {
        expect(from).toMatch(/^https:\/\/x-/);
        expect(to.startsWith("https://x-") ? gone.has(from) : true).toBe(true);
        if (suffices) expect(gone.has(from)).toBe(true);
      }
    }), { numRuns: 60 });
  });
});
