import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { effectiveWeight, priorityLoads, type TierHealth, tierLoads } from "../../../worker/core/balance/load.ts";
import { nowhere } from "../../../worker/core/balance/place.ts";
import { shareOut } from "../../../worker/core/balance/share-out.ts";
import type { CompiledCluster, CompiledLocality } from "../../../worker/core/config/compiled.ts";
import { cluster, endpoint, endpoints, locality, route, seen, statesOf, type World, world } from "./arbitrary.ts";

const sum = (numbers: readonly number[]): number => numbers.reduce((a, b) => a + b, 0);

/** The share of every region, by cluster and region. */
function sharesOf({ clusters, states, route, place }: Pick<World, "clusters" | "states" | "route" | "place">): Map<string, number> {
  const shares = seen({ clusters, states }).clusters.flatMap((view) => {
    shareOut(view, route, place);
    return view.localities.map(({ region }, i) => [`${view.cluster.name} ${region}`, view.standings[i]!.share] as const);
  });
  return new Map(shares);
}

/** Shares of localities with so many sick endpoints each. */
function sharesWith(localities: readonly (CompiledLocality & { readonly sick: number; readonly drained?: number })[], place = nowhere): number[] {
  const states = new Map(localities.flatMap(({ endpoints, sick, drained = 0 }) => statesOf(endpoints, { sick, drained })));
  return [...sharesOf({ clusters: [cluster("c", localities)], states, route: route(), place }).values()];
}

function expectSame(one: ReadonlyMap<string, number>, other: ReadonlyMap<string, number>): void {
  expect(other.size).toBe(one.size);
  for (const [name, share] of one) expect(Math.abs(other.get(name)! - share), name).toBeLessThan(1e-9);
}

const goldens: [healthy: number[], loads: number[]][] = [
  [[72, 72], [100, 0]], [[71, 71], [99, 1]], [[50, 50], [70, 30]], [[25, 100], [35, 65]], [[25, 25], [50, 50]],
  [[25, 25, 100], [35, 35, 30]], [[25, 25, 20], [36, 36, 28]], [[5, 65], [7, 93]],
];
/** All of the eligible are wholly well. */
const of = (eligible: number, total: number): TierHealth => ({ eligible, ready: eligible, total });
const tier = fc.integer({ min: 1, max: 60 }).chain((total) => fc.integer({ min: 0, max: total }).map((eligible) => of(eligible, total)));
const tiers = fc.array(tier, { minLength: 1, maxLength: 6 });
const isTotalPanic = (loads: readonly { readonly panic: boolean }[]): boolean => loads.every(({ panic }) => panic);

describe("the load of tiers", () => {
  test.each(goldens)("is Envoy's: where %j percent are well, they take %j percent", (healthy, loads) => {
    const told = priorityLoads(healthy.map((well) => well / 100));
    for (const [i, load] of told.entries()) expect(Math.abs(load * 100 - loads[i]!)).toBeLessThanOrEqual(1);
  });

  test.each(goldens)("is the same where priorities make the tiers: %j percent well, %j of the calls, or thirds where all three are in panic", (healthy, loads) => {
    const shares = sharesWith(healthy.map((well, priority) => ({ ...locality(`r${priority}`, { priority, endpoints: endpoints(`r${priority}`, 100) }), sick: 100 - well })));
    const wanted = healthy.length === 3 && healthy.every((well) => well < 50) ? [33.3, 33.3, 33.3] : loads;
    for (const [i, share] of shares.entries()) expect(Math.abs(share * 100 - wanted[i]!)).toBeLessThanOrEqual(1);
  });

  test("sums up to 1 whatever they are like, and is never negative", () => {
    fc.assert(fc.property(tiers, (some) => {
      const loads = tierLoads(some).map(({ load }) => load);
      expect(sum(loads)).toBeCloseTo(1, 9);
      expect(Math.min(...loads)).toBeGreaterThanOrEqual(0);
    }), { numRuns: 2000 });
  });

  test("of one where nobody is well is none, unless all are in panic", () => {
    fc.assert(fc.property(tiers, (some) => {
      const loads = tierLoads(some);
      if (!isTotalPanic(loads)) for (const [i, { load }] of loads.entries()) if (some[i]!.eligible === 0) expect(load).toBe(0);
    }), { numRuns: 2000 });
  });

  test("moves to farther ones as the nearest sickens: its own never grows, and the others' never shrinks, short of total panic", () => {
    fc.assert(fc.property(tiers, (some) => {
      const [first, ...farther] = some as [TierHealth, ...TierHealth[]];
      let [before, beyond] = [1, 0];
      for (let eligible = first.total; eligible >= 0; eligible--) {
        const loads = tierLoads([of(eligible, first.total), ...farther]);
        if (isTotalPanic(loads)) break;
        const others = sum(loads.slice(1).map(({ load }) => load));
        expect(loads[0]!.load).toBeLessThanOrEqual(before + 1e-12);
        expect(others).toBeGreaterThanOrEqual(beyond - 1e-12);
        [before, beyond] = [loads[0]!.load, others];
      }
    }), { numRuns: 500 });
  });

  test("is by the number of endpoints in total panic, and the nearest's alone where nobody is well", () => {
    expect(tierLoads([of(1, 10), of(1, 30)])).toEqual([{ load: 0.25, panic: true }, { load: 0.75, panic: true }]);
    expect(tierLoads([of(0, 10), of(0, 30)])).toEqual([{ load: 1, panic: true }, { load: 0, panic: true }]);
  });

  test("is panic only where all tiers together cannot carry everything and fewer than half are well there", () => {
    fc.assert(fc.property(tiers, (some) => {
      const all = sum(some.map(({ eligible, total }) => Math.min(1, (1.4 * eligible) / total)));
      fc.pre(Math.abs(all - 1) > 1e-9);
      const panics = some.map(({ eligible, total }) => all < 1 && eligible < total / 2);
      expect(tierLoads(some).map(({ panic }) => panic)).toEqual(panics);
    }), { numRuns: 2000 });
  });

  // 1.4 * 1/7 + 1.4 * 4/7 is 0.9999999999999999 in floating point.
  test("is no panic where all tiers together can just carry everything", () => {
    expect(tierLoads([of(1, 7), of(4, 7)]).map(({ panic }) => panic)).toEqual([false, false]);
  });

  // 1 - (1.4 * 3/7 + 1.4 * 2/7) leaves 5.6e-17.
  test("leaves nothing of rounding to a tier that is not needed", () => {
    expect(tierLoads([of(3, 7), of(2, 7), of(1, 1)])[2]!.load).toBe(0);
  });
});

describe("the shares of localities", () => {
  test.each([[0, 33.3], [30, 32.9], [31, 32.6], [50, 26], [75, 15], [100, 0]])("1:2, with %d of a hundred endpoints sick in the first, give it Envoy's %d percent", (sick, share) => {
    const eligible = 100 - sick;
    const [x, y] = [effectiveWeight(1, of(eligible, 100)), effectiveWeight(2, of(100, 100))];
    expect(Math.abs((100 * x) / (x + y) - share)).toBeLessThan(0.2);
    const [told] = sharesWith([{ ...locality("x", { endpoints: endpoints("x", 100) }), sick }, { ...locality("y", { weight: 2, endpoints: endpoints("y", 100) }), sick: 0 }]);
    expect(Math.abs(100 * told! - share)).toBeLessThan(0.2);
  });

  test("sum up to 1, or nothing may be picked: no endpoint with a weight that is not drained where residency allows", () => {
    fc.assert(fc.property(world(50), (one) => {
      const snapshot = seen(one);
      for (const view of snapshot.clusters) {
        shareOut(view, one.route, one.place);
        const all = sum(view.standings.map(({ share }) => share));
        const possible = view.localities.some(({ weight, endpoints }, i) => view.standings[i]!.admitted && weight > 0 && endpoints.some(({ endpoint, state }) => endpoint.weight > 0 && state !== "drained"));
        expect(all).toBeCloseTo(possible ? 1 : 0, 9);
      }
    }), { numRuns: 300 });
  });

  test("do not hang on the order of localities and endpoints, nor on the scale of weights", () => {
    fc.assert(fc.property(world(50), fc.integer({ min: 2, max: 1000 }), fc.func(fc.integer()), ({ clusters, ...rest }, by, rank) => {
      const shuffle = <T>(list: readonly T[]): T[] => list.map((one, i) => ({ one, at: rank(i, list.length) })).sort((a, b) => a.at - b.at).map(({ one }) => one);
      const change = (of: (cluster: CompiledCluster) => Partial<CompiledCluster>): World => ({ ...rest, clusters: clusters.map((one) => ({ ...one, ...of(one) })) });
      const shares = sharesOf({ clusters, ...rest });
      const shuffled = change(({ localities }) => ({ localities: shuffle(localities).map((one) => ({ ...one, endpoints: shuffle(one.endpoints) })) }));
      const scaled = change(({ localities }) => ({ localities: localities.map((one) => ({ ...one, weight: one.weight * by, endpoints: one.endpoints.map(({ url, weight }) => endpoint(url, weight * by)) })) }));
      expectSame(shares, sharesOf(shuffled));
      expectSame(shares, sharesOf(scaled));
    }), { numRuns: 150 });
  });

  test("never grow in the first place as its endpoints sicken, nor shrink elsewhere, be it first by priority or as the nearest", () => {
    fc.assert(fc.property(fc.array(fc.integer({ min: 1, max: 12 }), { minLength: 2, maxLength: 5 }), fc.nat(5), fc.boolean(), (sizes, sickElsewhere, byDistance) => {
      let [before, beyond] = [1, 0];
      for (let sick = 0; sick <= sizes[0]!; sick++) {
        const shares = sharesWith(sizes.map((size, i) => ({
          ...locality(`r${i}`, { ...(byDistance ? { at: { lat: 0, lng: i * 20 } } : { priority: i }), endpoints: endpoints(`r${i}`, size) }),
          sick: i === 0 ? sick : i === 1 ? 0 : Math.min(sickElsewhere, size),
        })), { ...nowhere, at: { lat: 0, lng: 0 } });
        expect(shares[0]).toBeLessThanOrEqual(before + 1e-12);
        expect(sum(shares.slice(1))).toBeGreaterThanOrEqual(beyond - 1e-12);
        [before, beyond] = [shares[0]!, sum(shares.slice(1))];
      }
    }), { numRuns: 100 });
  });

  test("of drained endpoints and those of weight 0 are as if they were not there", () => {
    const drained = sharesWith([{ ...locality("x", { endpoints: endpoints("x", 10) }), sick: 0, drained: 9 }, { ...locality("y"), sick: 0 }]);
    expect(drained).toEqual([0.5, 0.5]);
    const resting = sharesWith([{ ...locality("x", { endpoints: [endpoint("https://a", 0), endpoint("https://b")] }), sick: 1 }, { ...locality("y"), sick: 0 }]);
    expect(resting).toEqual([0.5, 0.5]);
    expect(sharesWith([{ ...locality("x", { weight: 0 }), sick: 0 }, { ...locality("y"), sick: 0 }])).toEqual([0, 1]);
  });
});
