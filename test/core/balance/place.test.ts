import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { pickEndpoint } from "../../../worker/core/balance/pick.ts";
import { continentOf, isContinent, isCountry, kilometres, nowhere, type Place, type RawPlace, readPlace } from "../../../worker/core/balance/place.ts";
import { residencyOf, shareOut } from "../../../worker/core/balance/share-out.ts";
import type { CompiledCluster, CompiledResidency } from "../../../worker/core/config/compiled.ts";
import { cluster, locality, place, point, rawPlace, route, seeded, seen, someContinents, someCountries } from "./arbitrary.ts";

const frankfurt = { lat: 50.11, lng: 8.68 };
const virginia = { lat: 38.95, lng: -77.45 };
const tokyo = { lat: 35.68, lng: 139.69 };
const suva = { lat: -18.14, lng: 178.44 };

/** The shares of a cluster's regions for a caller, only those above 0. */
function shares(one: CompiledCluster, from: Place, residency: readonly CompiledResidency[] = []): Record<string, number> {
  const view = seen({ clusters: [one], states: new Map() }).clusters[0]!;
  shareOut(view, route({ residency }), from);
  return Object.fromEntries(view.localities.map(({ region }, i) => [region, view.standings[i]!.share] as const).filter(([, share]) => share > 0));
}
const at = (latitude: unknown, longitude: unknown, rest: RawPlace = {}): Place => readPlace({ latitude, longitude, ...rest });

describe("a caller's place is read", () => {
  test("from text or numbers, and codes in any case", () => {
    expect(readPlace({ latitude: " 50.11 ", longitude: "8.68", country: " de", continent: "eu" })).toEqual({ at: frankfurt, country: "DE", continent: "EU" });
    for (const latitude of [90.001, "-90.001", 180]) expect(at(latitude, 8.68).at).toBeUndefined();
    expect(readPlace({ latitude: -0, longitude: 180 }).at).toEqual({ lat: -0, lng: 180 });
  });
  test.each([Number.NaN, "NaN", "", " ", null, undefined, 180.5, "-181", Infinity, "-Infinity", "12,5", "north", {}, true, [1]])("without a point where one of its degrees is %j", (latitude) => {
    expect(at(latitude, 8.68).at).toBeUndefined();
    expect(at(50.11, latitude).at).toBeUndefined();
  });
  test.each(["XX", "T1", "A1", "UK", "", "DEU", 276, null])("without a country where it is %j", (country) => expect(readPlace({ country })).toEqual(nowhere));
  test("with the continent of its country, whatever else is told", () => {
    expect(readPlace({ country: "NZ", continent: "??" }).continent).toBe("OC");
    expect(readPlace({ country: "TR", continent: "EU" }).continent).toBe("AS");
    expect(readPlace({ country: "XX", continent: "EU" }).continent).toBe("EU");
    for (const country of someCountries) expect(readPlace({ country })).toEqual({ at: undefined, country, continent: continentOf(country) });
  });
  test("whatever it is, without throwing, to a point on the map and codes that there are", () => {
    fc.assert(fc.property(fc.oneof(rawPlace, fc.record({ latitude: fc.anything(), longitude: fc.anything(), country: fc.anything(), continent: fc.anything() })), (raw) => {
      const { at, country, continent } = readPlace(raw);
      if (at !== undefined) expect(Math.abs(at.lat) <= 90 && Math.abs(at.lng) <= 180).toBe(true);
      expect(country === undefined || isCountry(country)).toBe(true);
      expect(continent === undefined || isContinent(continent)).toBe(true);
      if (country !== undefined) expect(continent).toBeDefined();
    }), { numRuns: 1000 });
  });
});

describe("a distance", () => {
  test.each([[frankfurt, virginia, 6540], [frankfurt, tokyo, 9330], [{ lat: 0, lng: 0 }, { lat: 0, lng: 180 }, 20_015]])("from %j to %j is %d km", (a, b, km) => expect(Math.abs(kilometres(a, b) / km - 1)).toBeLessThan(0.005));
  test("is a metric: none to itself, the same both ways, at most half around, and no detour is shorter", () => {
    fc.assert(fc.property(point, point, point, (a, b, c) => {
      expect(kilometres(a, a)).toBe(0);
      expect(kilometres(a, b)).toBeCloseTo(kilometres(b, a), 6);
      expect(kilometres(a, b)).toBeLessThanOrEqual(20_015.2);
      expect(kilometres(a, c)).toBeLessThanOrEqual(kilometres(a, b) + kilometres(b, c) + 1e-3);
    }), { numRuns: 1000 });
  });
  test("is that of the points where the antimeridian or a pole has two names for one", () => {
    fc.assert(fc.property(point, fc.double({ min: -180, max: 180, noNaN: true }), (a, lng) => {
      expect(kilometres(a, { lat: 12, lng: 180 })).toBeCloseTo(kilometres(a, { lat: 12, lng: -180 }), 3);
      for (const lat of [90, -90]) expect(kilometres(a, { lat, lng })).toBeCloseTo(kilometres(a, { lat, lng: 0 }), 3);
    }));
    expect(kilometres({ lat: 0, lng: 179.9 }, { lat: 0, lng: -179.9 })).toBeLessThan(23);
  });
});

describe("a call goes to the nearest locality", () => {
  const world = cluster("world", [locality("virginia", { at: virginia }), locality("frankfurt", { at: frankfurt }), locality("suva", { at: suva, weight: 2 })]);
  test("of a caller near Frankfurt, be its coordinates text or numbers", () => {
    for (const caller of [at("50.0", "9.0"), at(48.1, 11.6), at(52.5, 13.4, { country: "DE" })]) expect(shares(world, caller)).toEqual({ frankfurt: 1 });
  });
  test("across the antimeridian: those on either side go to the same one", () => {
    for (const lng of [179.9, -179.9, 180, -180]) expect(shares(world, at(-17, lng))).toEqual({ suva: 1 });
  });
  test("at the poles, where every longitude is the same point", () => {
    for (const lng of [-180, -77, 0, 90]) expect([shares(world, at(90, lng)), shares(world, at(-90, lng))]).toEqual([{ frankfurt: 1 }, { suva: 1 }]);
  });
  test("by weight where nobody knows the caller's place", () => {
    for (const caller of [nowhere, readPlace({ country: "DE" }), at("NaN", 8.68), at(91, 8.68)]) expect(shares(world, caller)).toEqual({ virginia: 0.25, frankfurt: 0.25, suva: 0.5 });
  });
  test("and one without a place is the farthest, but takes what no other can", () => {
    const some = [locality("nowhere"), locality("suva", { at: suva })];
    expect(shares(cluster("c", some), at(50, 9))).toEqual({ suva: 1 });
    const view = seen({ clusters: [cluster("c", some)], states: new Map([["https://suva", "unhealthy"]]) });
    expect(pickEndpoint(view, 0, { route: route(), place: at(50, 9), key: undefined }, seeded(1))?.region).toBe("nowhere");
  });
  test("or to those up to the band farther, by weight, and to none beyond", () => {
    fc.assert(fc.property(fc.array(fc.record({ at: point, weight: fc.integer({ min: 1, max: 9 }) }), { minLength: 1, maxLength: 12 }), point, fc.integer({ min: 0, max: 21_000 }), (some, from, bandKm) => {
      const km = some.map(({ at }) => kilometres(from, at));
      const near = km.map((one) => one <= Math.min(...km) + bandKm);
      const all = some.reduce((sum, { weight }, i) => sum + (near[i]! ? weight : 0), 0);
      const told = shares(cluster("c", some.map((one, i) => locality(`r${i}`, one)), { bandKm }), { ...nowhere, at: from });
      for (const [i, { weight }] of some.entries()) expect(told[`r${i}`] ?? 0).toBeCloseTo(near[i]! ? weight / all : 0, 9);
    }), { numRuns: 500 });
  });
  test("after one that is at home to its country, then one to its continent; before all of these, the lower priority", () => {
    const homes = [locality("near", { at: frankfurt }), locality("continent", { at: tokyo, continents: ["EU"] }), locality("country", { at: virginia, countries: ["DE"] })];
    const german = at(50, 9, { country: "DE" });
    expect(shares(cluster("c", homes), german)).toEqual({ country: 1 });
    expect(shares(cluster("c", homes), at(50, 9, { country: "FR" }))).toEqual({ continent: 1 });
    expect(shares(cluster("c", homes), readPlace({ country: "FR" }))).toEqual({ continent: 1 });
    expect(shares(cluster("c", homes), at(50, 9, { country: "US" }))).toEqual({ near: 1 });
    expect(shares(cluster("c", [...homes.map((one) => ({ ...one, priority: 1 })), locality("first", { at: suva })]), german)).toEqual({ first: 1 });
  });
});

describe("residency", () => {
  const rule = (rest: Partial<CompiledResidency>): CompiledResidency => ({ countries: [], continents: [], unplaced: false, regions: [], ...rest });
  const [ofContinent, ofCountry, ofNobody] = [rule({ continents: ["EU"], regions: ["eu"] }), rule({ countries: ["DE"], regions: ["de"] }), rule({ unplaced: true, regions: ["us"] })];
  const rules = [ofContinent, ofCountry, ofNobody];

  test("is a country's before its continent's, whichever stands first", () => {
    for (const some of [rules, rules.toReversed()]) {
      expect(residencyOf(some, readPlace({ country: "DE", continent: "EU" }))).toBe(ofCountry);
      expect(residencyOf(some, readPlace({ country: "FR" }))).toBe(ofContinent);
      expect(residencyOf(some, readPlace({ continent: "EU" }))).toBe(ofContinent);
      expect(residencyOf(some, readPlace({ country: "US" }))).toBeUndefined();
    }
  });
  test("binds callers of no known country or continent by the rule for them alone, also where their point is known", () => {
    for (const caller of [nowhere, at(50.1, 8.7), readPlace({ country: "T1" })]) {
      expect(residencyOf(rules, caller)).toBe(ofNobody);
      expect(residencyOf([ofContinent, ofCountry], caller)).toBeUndefined();
    }
  });
  test("admits nobody outside it, in no world: not for distance, home or priority", () => {
    const regions = ["a", "b", "c", "d"];
    const some = fc.array(fc.record({ countries: fc.subarray([...someCountries]), continents: fc.subarray([...someContinents]), unplaced: fc.boolean(), regions: fc.subarray(regions, { minLength: 1 }) }), { maxLength: 4 });
    fc.assert(fc.property(some, place, fc.array(fc.record({ at: point, priority: fc.nat(2), countries: fc.subarray([...someCountries]) }), { minLength: 4, maxLength: 4 }), (residency, caller, localities) => {
      const { country = "", continent = "" } = caller;
      const placed = country !== "" || continent !== "";
      const decisive = placed ? (residency.find((one) => one.countries.some((c) => c === country)) ?? residency.find((one) => one.continents.some((c) => c === continent))) : residency.find(({ unplaced }) => unplaced);
      const told = Object.keys(shares(cluster("c", localities.map((one, i) => locality(regions[i]!, one))), caller, residency));
      expect(told).not.toEqual([]);
      for (const region of told) expect(decisive?.regions ?? regions).toContain(region);
    }), { numRuns: 500 });
  });
});
