import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { judge, type ProbeResult } from "../../../worker/core/health/judge.ts";
import { isProbeRegion, nearestRegion, nowhereYet, vote } from "../../../worker/core/health/regions.ts";
import { stateOf } from "../../../worker/core/health/states.ts";
import type { EndpointHealth, HealthTable } from "../../../worker/core/health/table.ts";
import { regionsOf } from "../../../worker/core/health/targets.ts";
import { cluster, endpoint, locality, point } from "../balance/arbitrary.ts";
import { check, health, noon, result, table } from "./tables.ts";

const names = ["weur", "enam", "apac"] as const;
const regional = check({ regions: names });
const checks = new Map([["a", regional]]);
const from = (region: string, healthy: boolean, at: number): ProbeResult => ({ ...result("a", healthy, at), region });

/** What each region answers in one round; those that say nothing are not there. */
type Round = Partial<Record<(typeof names)[number], boolean>>;
const round: fc.Arbitrary<Round> = fc.record({ weur: fc.boolean(), enam: fc.boolean(), apac: fc.boolean() }, { requiredKeys: [] }).filter((one) => Object.keys(one).length > 0);
const rounds = fc.array(round, { minLength: 1, maxLength: 30 });

/** The table after each of some rounds, ten seconds apart. */
function tablesAfter(all: readonly Round[], start: HealthTable | null = null): HealthTable[] {
  let last = start;
  return all.map((one, i) => {
    const now = noon + i * 10_000;
    last = judge(last, Object.entries(one).map(([region, healthy]) => from(region, healthy, now)), checks, now).table;
    return last;
  });
}
const healthAfter = (all: readonly Round[], start?: HealthTable): EndpointHealth[] => tablesAfter(all, start).map(({ endpoints }) => endpoints.get("a")!);

describe("an endpoint that is probed from several regions", () => {
  test("is as a whole what it would be if it were probed once, and well where any region that answers finds it so", () => {
    fc.assert(fc.property(rounds, (all) => {
      const states = healthAfter(all).map(({ state }) => state);
      const alone = check();
      let last: HealthTable | null = null;
      const once = all.map((one, i) => {
        const now = noon + i * 10_000;
        last = judge(last, [result("a", Object.values(one).includes(true), now)], new Map([["a", alone]]), now).table;
        return last.endpoints.get("a")!.state;
      });
      expect(states).toEqual(once);
    }));
  });

  test("is unhealthy as a whole only after a threshold of rounds in which no region that answered found it well", () => {
    fc.assert(fc.property(rounds, (all) => {
      const states = ["healthy", ...healthAfter(all, table({ a: health() })).map(({ state }) => state)];
      for (let i = 1; i < states.length; i++) {
        if (states[i] === "healthy" || states[i - 1] === "unhealthy") continue;
        expect(all.slice(i - 3, i).flatMap((one) => Object.values(one))).not.toContain(true);
      }
    }));
  });

  test("leaves and comes back for a region by the probes from there alone", () => {
    fc.assert(fc.property(rounds, (all) => {
      const start = table({ a: health() });
      const whole = healthAfter(all, start);
      for (const region of names) {
        const answers = all.flatMap((one, i) => (one[region] === undefined ? [] : [{ i, healthy: one[region] }]));
        // A region that was silent for longer than its word counts begins anew.
        if (answers.some(({ i }, j) => i - (answers[j - 1]?.i ?? i) > 18)) continue;
        let [state, streak] = ["healthy", 0];
        for (const { i, healthy } of answers) {
          streak = healthy === (state === "healthy") ? 0 : streak + 1;
          if (streak === (state === "healthy" ? 3 : 2)) [state, streak] = [state === "healthy" ? "unhealthy" : "healthy", 0];
          const begunUnhealthy = whole[answers[0]!.i - 1]?.state === "unhealthy";
          if (!begunUnhealthy) expect(whole[i]!.regions.get(region)?.state).toBe(state);
        }
      }
    }));
  });

  test("is not left by a region whose first word is against it, and is at once where nobody knew it", () => {
    const first = healthAfter([{ weur: false, enam: true }], table({ a: health() }))[0]!;
    expect([first.state, first.regions.get("weur")]).toMatchObject(["healthy", { state: "healthy", failures: 1, since: noon }]);
    expect(healthAfter([{ weur: false, enam: true }])[0]).toMatchObject({ state: "healthy", regions: new Map([["weur", expect.objectContaining({ state: "unhealthy" })], ["enam", expect.objectContaining({ state: "healthy" })]]) });
  });

  test("is judged by what the sweep finds itself, for no region, where none answers", () => {
    const { table: after, flips } = judge(table({ a: health({ failures: 2, successes: 0 }) }), [result("a", false)], checks, noon);
    expect(after.endpoints.get("a")).toMatchObject({ state: "unhealthy", regions: new Map() });
    expect(flips).toEqual([{ key: "a", from: "healthy", to: "unhealthy", detail: "NOT_SERVING" }]);
  });

  test("is forgotten by a region that is silent for three minutes, or not asked any more", () => {
    const heard = [{ weur: false, enam: true }, ...Array.from({ length: 19 }, () => ({ enam: true }))];
    const known = healthAfter(heard).map(({ regions }) => [...regions.keys()].includes("weur"));
    expect(known).toEqual([...Array(19).fill(true), false]);
    const { table: after } = judge(tablesAfter(heard.slice(0, 2))[1]!, [from("enam", true, noon + 20_000)], new Map([["a", check({ regions: ["enam"] })]]), noon + 20_000);
    expect([...after.endpoints.get("a")!.regions.keys()]).toEqual(["enam"]);
  });

  test("is written, and logged with the region, where one comes to find it otherwise", () => {
    const before = tablesAfter([{ weur: true, enam: true }, { weur: false, enam: true }, { weur: false, enam: true }]).at(-1)!;
    const now = noon + 30_000;
    const { flips, due, table: after } = judge(before, [from("weur", false, now), from("enam", true, now)], checks, now);
    expect([flips, due, after.revision]).toEqual([[{ key: "a", region: "weur", from: "healthy", to: "unhealthy", detail: "NOT_SERVING" }], "flip", before.revision + 1]);
    const settled = judge(after, [from("weur", false, now + 10_000), from("enam", true, now + 10_000)], checks, now + 10_000);
    expect([settled.flips, settled.due, settled.table.revision]).toEqual([[], null, after.revision]);
    expect(judge(after, [from("weur", true, now + 10_000), from("enam", true, now + 10_000)], checks, now + 10_000).due).toBe("streak");
  });
});

describe("where an isolate is", () => {
  const places = { paris: { lat: 48.9, lng: 2.4 }, vienna: { lat: 48.2, lng: 16.4 }, newYork: { lat: 40.7, lng: -74 }, tokyo: { lat: 35.7, lng: 139.7 }, singapore: { lat: 1.35, lng: 103.8 }, saoPaulo: { lat: -23.5, lng: -46.6 }, losAngeles: { lat: 34, lng: -118.2 }, sydney: { lat: -33.9, lng: 151.2 } };
  const all = ["wnam", "enam", "weur", "eeur", "apac", "apac-ne", "apac-se", "oc"];
  const nearest = (among: readonly string[]) => Object.fromEntries(Object.entries(places).map(([name, at]) => [name, nearestRegion(at, among)]));

  test("is told by the nearest region from which probes come, if it is near at all", () => {
    expect(nearest(all)).toEqual({ paris: "weur", vienna: "eeur", newYork: "enam", tokyo: "apac-ne", singapore: "apac-se", saoPaulo: null, losAngeles: "wnam", sydney: "oc" });
    expect(nearest(["weur", "enam", "apac"])).toEqual({ paris: "weur", vienna: "weur", newYork: "enam", tokyo: "apac", singapore: "apac", saoPaulo: null, losAngeles: null, sydney: null });
    expect(all.every(isProbeRegion) && !["sam", "afr", "me", "__proto__", "WEUR"].some(isProbeRegion)).toBe(true);
  });

  test("is, from any point, one of those that are near, whatever is added that is farther, in whatever order they stand", () => {
    fc.assert(fc.property(point, fc.shuffledSubarray(all), (at, among) => {
      const found = nearestRegion(at, among);
      const near = among.filter((one) => nearestRegion(at, [one]) === one);
      if (found === null) return void expect(near).toEqual([]);
      expect(near).toContain(found);
      expect(nearestRegion(at, among.toReversed())).toBe(found);
      for (const other of near) expect(nearestRegion(at, [other, found])).toBe(found);
    }));
  });

  const heard = (near: readonly (string | null)[]) => near.reduce(vote, nowhereYet);
  const caller = fc.constantFrom("weur", "enam", null);
  test("is where its first caller is, until most are elsewhere; an odd one among many changes nothing", () => {
    expect(heard(["weur"]).region).toBe("weur");
    expect(heard([null, "weur", "weur"]).region).toBe("weur");
    fc.assert(fc.property(fc.array(caller, { maxLength: 40 }), fc.constantFrom("weur", "enam"), caller, (before, region, odd) => {
      const settled = [...before, ...Array.from({ length: 22 }, () => region)];
      expect(heard(settled).region).toBe(region);
      expect(heard([...settled, odd]).region).toBe(region);
    }));
  });

  test("is found by whoever has more than half of up to twenty callers", () => {
    fc.assert(fc.property(fc.array(caller, { maxLength: 20 }), (callers) => {
      const most = ["weur", "enam", null].find((one) => callers.filter((other) => other === one).length > callers.length / 2);
      if (most !== undefined) expect(heard(callers).region).toBe(most);
    }));
  });
});

describe("an endpoint that one region cannot reach", () => {
  const one = endpoint("https://one");
  const users = cluster("users", [locality("eu", { endpoints: [one] })], { healthCheck: regional });
  const known = (state: EndpointHealth["state"]) => table({ "users/eu/https://one": health({ state, regions: new Map([["weur", health({ state: "unhealthy" })], ["enam", health()]]) }) });
  const seenFrom = (here: string | null, state: EndpointHealth["state"] = "healthy") => stateOf(known(state), null, noon, here)(users, "eu", one);

  test("is out for who is near that region, and for nobody else", () => {
    expect([seenFrom("weur"), seenFrom("enam"), seenFrom("apac"), seenFrom(null)]).toEqual(["unreached", "healthy", "healthy", "healthy"]);
  });
  test("is out for all where it is down as a whole", () => {
    expect([seenFrom("weur", "unhealthy"), seenFrom("enam", "unhealthy"), seenFrom(null, "unhealthy")]).toEqual(["unhealthy", "unhealthy", "unhealthy"]);
  });
  test("is no news from a table that is too old", () => expect(stateOf(known("healthy"), null, noon + 3_600_000, "weur")(users, "eu", one)).toBe("unknown"));
});

test("the regions of a config are those of all its checks, each once", () => {
  expect(regionsOf([null, check(), check({ regions: ["weur", "oc"] }), check({ regions: ["oc"] })])).toEqual(["weur", "oc"]);
});
