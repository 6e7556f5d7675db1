import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { explain, type Explanation, routeRule } from "../../../worker/core/balance/explain.ts";
import { type Ask, pickCluster, pickEndpoint } from "../../../worker/core/balance/pick.ts";
import { nowhere, readPlace } from "../../../worker/core/balance/place.ts";
import type { Snapshot } from "../../../worker/core/balance/snapshot.ts";
import { cluster, endpoints, locality, match, route, seeded, seen, statesOf, type World, world } from "./arbitrary.ts";

/** Picks, ends the call, and explains. */
function pickAndExplain(snapshot: Snapshot, ask: Ask, seed: number): Explanation {
  const random = seeded(seed);
  const at = pickCluster(snapshot, ask, random);
  const picked = pickEndpoint(snapshot, at, ask, random);
  if (picked !== undefined) picked.seen.pending--;
  return explain(snapshot, ask, at, picked && { region: picked.region, endpoint: picked.endpoint.url });
}

function numbersIn(value: unknown): number[] {
  if (typeof value === "number") return [value];
  return typeof value === "object" && value !== null ? Object.values(value).flatMap(numbersIn) : [];
}

/** All that holds of any explanation; it says which rule it was that does not. */
function flaw({ localities, picked, rules }: Explanation, { clusters, route: { split } }: World): string | undefined {
  const told = localities.find(({ cluster, region }) => cluster === picked?.cluster && region === picked.region);
  const sum = split.reduce((all, { weight }) => all + weight, 0);
  for (const { cluster, weight } of split) {
    const share = localities.filter((one) => one.cluster === clusters[cluster]!.name).reduce((all, one) => all + one.share, 0);
    if (share !== 0 && Math.abs(share - weight / sum) > 1e-9) return `${clusters[cluster]!.name} has a share of ${share}`;
  }
  for (const { region, share, out, endpoints } of localities) {
    if ((share === 0) !== (out !== undefined)) return `${region} has a share of ${share} and is out for ${out}`;
    if (Math.abs(endpoints.reduce((all, one) => all + one.share, 0) - share) > 1e-9) return `the endpoints of ${region} do not sum up to its share`;
  }
  if (picked !== null && !(told !== undefined && told.share > 0 && told.endpoints.find(({ endpoint }) => endpoint === picked.endpoint)!.share > 0)) return "what was picked has no share";
  if (picked === null && rules.at(-1)?.rule !== "nobody") return "nothing was picked, and no rule tells why";
  if (picked !== null && rules.at(-1)?.rule !== "endpoint") return "no rule tells of the endpoint";
  const odd = rules.find(({ says }) => !/^[\x20-\x7eö]+$/.test(says) || /undefined|null|NaN|Infinity|\[object/.test(says));
  if (odd !== undefined) return `${odd.rule} says "${odd.says}"`;
  if (!numbersIn({ localities, rules }).every(Number.isFinite) || JSON.stringify({ localities, rules }).includes("null")) return "a number is none";
  return undefined;
}

const says = (explanation: Explanation): string[] => explanation.rules.map(({ rule, says }) => `${rule}: ${says}`);

describe("an explanation", () => {
  test.each([[2, 3_000], [3, 3_000], [4, 3_000], [6, 1_000], [50, 200]])("agrees with the pick, sums up, and is plain text and numbers: with up to %d localities, %d times", (most, numRuns) => {
    fc.assert(fc.property(world(most), fc.integer(), (one, seed) => {
      const [snapshot, again] = [seen(one), seen(one)];
      const explanation = pickAndExplain(snapshot, one, seed);
      const wrong = flaw(explanation, one);
      if (wrong !== undefined) throw new Error(wrong);
      if (one.key === undefined) return;
      const { picked } = pickAndExplain(again, one, seed + 1);
      const [own, kept] = [explanation.picked, picked].map((each) => (one.route.sticky!.pins === "endpoint" ? JSON.stringify(each) : each?.cluster));
      if (own !== kept) throw new Error(`the same key went to ${own}, then to ${kept}`);
    }), { numRuns });
  });

  test("of a split does not hang on its order, nor on the scale of its weights", () => {
    fc.assert(fc.property(world(4), fc.integer({ min: 2, max: 1000 }), (one, by) => {
      const sharesOf = (split: World["route"]["split"]): Map<string, number> => {
        const { localities } = explain(seen(one), { ...one, route: { ...one.route, split } }, 0, undefined);
        return new Map(localities.map(({ cluster, region, share }) => [`${cluster} ${region}`, share]));
      };
      const shares = sharesOf(one.route.split);
      for (const other of [one.route.split.toReversed(), one.route.split.map(({ cluster, weight }) => ({ cluster, weight: weight * by }))]) {
        for (const [name, share] of sharesOf(other)) expect(Math.abs(share - shares.get(name)!)).toBeLessThan(1e-9);
      }
    }), { numRuns: 500 });
  });

  test("tells of every rule that fired, in order", () => {
    const far = { lat: 35, lng: 139 };
    const all = endpoints("eu-1", 4);
    const localities = [locality("eu-1", { at: { lat: 50, lng: 8 }, endpoints: all }), locality("us-1", { at: { lat: 39, lng: -77 } }), locality("ap-1", { at: far }), locality("spare", { priority: 1 })];
    const clusters = [cluster("blue", localities), cluster("green", localities)];
    const residency = [{ countries: ["DE"], continents: [], unplaced: false, regions: ["eu-1", "us-1", "spare"] }];
    const split = [{ cluster: 0, weight: 1 }, { cluster: 1, weight: 0 }];
    const one = { clusters, states: new Map(statesOf(all, { sick: 2 })), route: route({ split, residency, sticky: { by: "header", name: "x-user", pins: "endpoint" } }), place: readPlace({ latitude: "50", longitude: "9", country: "DE" }), key: "me" } as const;
    const explanation = pickAndExplain(seen(one), one, 1);
    expect(explanation.rules.map(({ rule }) => rule)).toEqual(["split", "sticky", "place", "residency", "priority", "distance", "load", "weight", "endpoint"]);
    expect(says(explanation)).toEqual(expect.arrayContaining([
      "split: blue 100 %, green 0 %: this call belongs to blue", "place: the caller is at 50, 9, in DE, in EU",
      "residency: callers of DE may be served in eu-1, us-1, spare alone: not in ap-1", "priority: priority 0 comes first: eu-1, us-1",
      "distance: nearest: eu-1 at 71 km", "weight: eu-1 70 %, us-1 30 %",
    ]));
    expect(explanation.localities.filter(({ cluster }) => cluster === "blue").map(({ out }) => out)).toEqual([undefined, undefined, "residency", "priority"]);
  });

  test("tells of panic, and of nothing that could be picked", () => {
    const panic = { clusters: [cluster("c", [locality("r")])], route: route(), place: nowhere, key: undefined };
    expect(says(pickAndExplain(seen({ ...panic, states: new Map([["https://r", "unhealthy"]]) }), panic, 1))).toContain("panic: so few endpoints are well that health is disregarded");
    const nothing = pickAndExplain(seen({ ...panic, states: new Map([["https://r", "drained"]]) }), panic, 1);
    expect(nothing.picked).toBeNull();
    expect(says(nothing).at(-1)).toMatch(/^nobody: no locality of c may take this call/);
    // A breaker refused it, say.
    expect(says(explain(seen({ ...panic, states: new Map() }), panic, 0, undefined)).at(-1)).toBe("ended: it ended before an endpoint was picked: its error says why");
  });

  test("says whose probes count, and what they keep from a call that others would not", () => {
    const healthCheck = { service: "", httpPath: "", httpStatuses: [], timeoutMs: 1000, intervalMs: 10_000, unhealthyThreshold: 3, healthyThreshold: 2, regions: ["weur", "enam"] };
    const clusters = [cluster("c", [locality("r", { endpoints: endpoints("r", 2) })], { healthCheck })];
    const ask = { route: route(), place: nowhere, key: undefined };
    const probes = (here: string | null, states: World["states"] = new Map()) => says(pickAndExplain({ ...seen({ clusters, states }), here }, ask, 1)).filter((one) => one.startsWith("probes"));
    expect(probes("weur")).toEqual(["probes: weur is near: an endpoint is out where probes from there fail"]);
    expect(probes("weur", new Map([["https://r-0", "unreached"]]))).toEqual(["probes: weur is near: probes from there fail at https://r-0 in r, so it is out, though others reach it"]);
    expect(probes(null)).toEqual(["probes: none of weur, enam is near: an endpoint is out where probes from all of them fail"]);
    expect(probes("oc")).toEqual(probes(null));
  });

  test("names the conditions that found the route", () => {
    const metadata = [{ name: "x-a", exact: "1", prefix: null, present: null }, { name: "x-b", exact: null, prefix: null, present: true }, { name: "x-c", exact: null, prefix: null, present: false }];
    expect(routeRule(match()).says).toBe("the route of prefix /");
    expect(routeRule(match({ kind: "service", path: "/acme.User/", host: "a.example", basePath: "/api", metadata })).says).toBe("the route of service acme.User, host a.example, base path /api, x-a: 1, x-b, no x-c");
  });

  // A snapshot may be replaced between the pick and its explanation: `chosen` is of the old one.
  test("of a pick from the snapshot before does not throw, though nothing can be picked any more", () => {
    const clusters = [cluster("c", [locality("r")])];
    const ask = { route: route(), place: nowhere, key: undefined };
    explain(seen({ clusters, states: new Map([["https://r", "drained"]]) }), ask, 0, { region: "r", endpoint: "https://r" });
  });

  // It has a weight; its endpoints are drained.
  test("does not say of a drained locality that its weight is 0", () => {
    const clusters = [cluster("c", [locality("r"), locality("s")])];
    const { localities } = explain(seen({ clusters, states: new Map([["https://r", "drained"]]) }), { route: route(), place: nowhere, key: undefined }, 0, { region: "s", endpoint: "https://s" });
    expect(localities[0]!.out).toBe("unfit");
  });
});
