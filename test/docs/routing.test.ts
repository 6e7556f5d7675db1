import { describe, expect, test } from "vitest";
import { explainImagined, formatExplanation } from "../../cli/explain.ts";
import { explain } from "../../worker/core/balance/explain.ts";
import { pickCluster, pickEndpoint } from "../../worker/core/balance/pick.ts";
import { type RawPlace, readPlace } from "../../worker/core/balance/place.ts";
import { router } from "../../worker/core/balance/route.ts";
import { snapshot } from "../../worker/core/balance/snapshot.ts";
import type { CompiledConfig } from "../../worker/core/config/compiled.ts";
import { docsPage } from "./examples.ts";

const { page, examples, checked } = docsPage("routing.md");

function configOf(heading: string, env?: string): CompiledConfig {
  const { config, issues } = checked(heading, env);
  if (config === undefined) throw new Error(`${heading}: ${JSON.stringify(issues)}`);
  return config;
}

interface Caller {
  readonly place?: RawPlace;
  readonly key?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Evenly spread, so that a thousand draws give the shares to a thousandth. */
function* even(): Generator<number> {
  for (let i = 0; ; i = (i + 1) % 1000) yield (((i * 617) % 1000) + 0.5) / 1000;
}

function calls(config: CompiledConfig, method: string) {
  const now = snapshot(config.clusters);
  const numbers = even();
  const random = (): number => numbers.next().value as number;
  const call = ({ place = {}, key, headers = {} }: Caller) => {
    const routed = router(config.routes)({ path: method, host: "edge.example", metadata: new Headers(headers) });
    const ask = { route: routed!.route, place: readPlace(place), key };
    const cluster = pickCluster(now, ask, random);
    const picked = pickEndpoint(now, cluster, ask, random);
    const chosen = picked && { region: picked.region, endpoint: picked.endpoint.url };
    return { cluster: now.clusters[cluster]!.cluster.name, region: chosen?.region, endpoint: chosen?.endpoint, why: explain(now, ask, cluster, chosen) };
  };
  return {
    one: call,
    /** The regions that calls of this caller go to, with their shares. */
    regions: (caller: Caller) => Object.fromEntries(call(caller).why.localities.filter(({ share }) => share > 0).map(({ region, share }) => [region, Number(share.toFixed(3))])),
    kilometres: (caller: Caller) => Object.fromEntries(call(caller).why.localities.map(({ region, km }) => [region, km])),
    /** How many of a thousand calls go to which cluster. */
    thousand: (caller: (i: number) => Caller) => {
      const all = Array.from({ length: 1000 }, (_, i) => call(caller(i)).cluster);
      return Object.fromEntries([...Map.groupBy(all, (name) => name)].map(([name, some]) => [name, some.length]).sort());
    },
  };
}

const berlin = { latitude: 52.52, longitude: 13.4, country: "DE" };
const paris = { latitude: 48.86, longitude: 2.35, country: "FR" };
const london = { latitude: 51.51, longitude: -0.13, country: "GB" };
const newYork = { latitude: 40.71, longitude: -74.01, country: "US" };
const users = "/acme.user.v1.UserService/Get";

test.each([...examples.keys()])("the example under “%s” is accepted without a word, in each of its environments", (heading) => {
  expect(checked(heading).issues).toEqual([]);
  for (const [, name] of (examples.get(heading) ?? "").split("environments:")[1]?.matchAll(/^ {2}([a-z-]+):/gm) ?? []) expect(checked(heading, name).issues).toEqual([]);
});

test("the page has as many examples as headings with YAML", () => expect(examples.size).toBe([...page.matchAll(/^```yaml$/gm)].length));

test("place headers: a country and coordinates from the headers that are named", () => {
  const config = configOf("Where a caller is");
  const explained = explainImagined(config, { path: users, host: "edge.example", headers: new Headers({ "x-geo-lat": "52.52", "x-geo-lon": "13.4", "x-geo-country": "de" }), place: null, address: null }, () => 0);
  expect(explained?.picked?.region).toBe("eu-central");
  expect(explained?.rules.find(({ rule }) => rule === "place")?.says).toBe("the caller is at 52.52, 13.4, in DE, in EU");
});

test("codes of no country count as missing", () => {
  for (const code of ["T1", "XX", "UK"]) expect(readPlace({ country: code, continent: code, latitude: 91, longitude: 0 })).toEqual(readPlace({}));
  expect(readPlace({ latitude: 1, longitude: 1 })).toMatchObject({ country: undefined, continent: undefined });
});

describe("canary", () => {
  const { thousand, one } = calls(configOf("Canary"), users);
  test("one call in ten goes to it", () => expect(thousand(() => ({}))).toEqual({ "users-v1": 900, "users-v2": 100 }));
  test("all calls of testers do", () => expect(thousand(() => ({ headers: { "x-version": "v2" } }))).toEqual({ "users-v2": 1000 }));
  test("another version is not asked for", () => expect(one({ headers: { "x-version": "v1" } }).why.localities).toHaveLength(2));
});

test("blue and green: all calls go to one, by the environment", () => {
  expect(calls(configOf("Blue and green"), users).thousand(() => ({}))).toEqual({ blue: 1000 });
  expect(calls(configOf("Blue and green", "green"), users).thousand(() => ({}))).toEqual({ green: 1000 });
  expect(calls(configOf("Blue and green"), users).one({}).why.localities.find(({ cluster }) => cluster === "green")?.out).toBe("split");
});

describe("the nearest region", () => {
  const { regions, kilometres } = calls(configOf("The nearest region"), users);
  test.each([
    ["Berlin", berlin, { "eu-west": 1317, "eu-central": 423, "us-east": 6727 }, { "eu-central": 1 }],
    ["New York", newYork, { "eu-west": 5115, "eu-central": 6203, "us-east": 350 }, { "us-east": 1 }],
    ["London", london, { "eu-west": 463, "eu-central": 638, "us-east": 5917 }, { "eu-west": 0.5, "eu-central": 0.5 }],
  ])("of %s, as the page says", (_, place, km, shares) => {
    expect(kilometres({ place })).toEqual(km);
    expect(regions({ place })).toEqual(shares);
    expect(page).toContain(`| ${_} | ${Object.values(km).map((n) => `${n} km`).join(" | ")} |`);
  });
  test("of nobody knows whom: each a third", () => expect(regions({})).toEqual({ "eu-west": 0.333, "eu-central": 0.333, "us-east": 0.333 }));
  test("without a band: London's is one", () => {
    const config = configOf("The nearest region");
    expect(calls({ ...config, clusters: config.clusters.map((cluster) => ({ ...cluster, bandKm: 0 })) }, users).regions({ place: london })).toEqual({ "eu-west": 1 });
  });
});

test.each([
  ["Geneva, CH", { latitude: 46.2, longitude: 6.14, country: "CH" }, { zurich: 1 }],
  ["Vienna, AT", { latitude: 48.21, longitude: 16.37, country: "AT" }, { frankfurt: 1 }],
  ["Paris, FR", paris, { frankfurt: 1 }],
  ["Rio de Janeiro, BR", { latitude: -22.91, longitude: -43.17, country: "BR" }, { virginia: 1 }],
  ["Tokyo, JP", { latitude: 35.68, longitude: 139.69, country: "JP" }, { zurich: 0.5, frankfurt: 0.5 }],
  ["CH, coordinates unknown", { country: "CH" }, { zurich: 1 }],
])("homes for countries: %s", (who, place, shares) => {
  expect(calls(configOf("Homes for countries"), users).regions({ place })).toEqual(shares);
  expect(page).toContain(`| ${who} | `);
});

describe("residency", () => {
  const records = "/acme.record.v1.RecordService/Get";
  const rested = (): CompiledConfig => configOf("Data residency", "without-frankfurt");
  test.each([
    ["Berlin", berlin, { frankfurt: 1 }, {}],
    ["Paris", paris, { frankfurt: 1 }, { dublin: 1 }],
    ["New York", newYork, { virginia: 1 }, { virginia: 1 }],
    ["nobody knows where", {}, { frankfurt: 0.5, dublin: 0.5 }, { dublin: 1 }],
    ["coordinates alone, which are no country", { latitude: 40.71, longitude: -74.01 }, { dublin: 1 }, { dublin: 1 }],
  ])("of a caller in %s", (_, place, as, without) => {
    expect(calls(configOf("Data residency"), records).regions({ place })).toEqual(as);
    expect(calls(rested(), records).regions({ place })).toEqual(without);
  });
  test("refuses rather than serves elsewhere, and says so", () => {
    const { region, why } = calls(rested(), records).one({ place: berlin });
    expect(region).toBeUndefined();
    expect(why.picked).toBeNull();
    expect(why.rules.map(({ rule }) => rule)).toEqual(["place", "residency", "nobody"]);
    expect(why.localities.map(({ region, out }) => [region, out])).toEqual([["frankfurt", "weight"], ["dublin", "residency"], ["virginia", "residency"]]);
  });
});

describe("sticky", () => {
  const config = configOf("Sticky sessions");
  const shop = calls(config, "/acme.shop.v1.ShopService/Get");
  const carts = calls(config, "/acme.shop.v1.CartService/Get");
  const keys = Array.from({ length: 1000 }, (_, i) => `user-${i}`);
  const weighed = (...weights: number[]) => calls({ ...config, routes: config.routes.map((route) => ({ ...route, split: route.split.map((share, i) => ({ ...share, weight: weights[i]! })) })) }, "/acme.shop.v1.ShopService/Get");

  test("the same key goes to the same cluster, whichever service it calls", () => {
    const search = calls(config, "/acme.shop.v1.SearchService/Get");
    for (const key of keys) {
      expect(shop.one({ key }).cluster).toBe(shop.one({ key }).cluster);
      expect(search.one({ key }).cluster).toBe(shop.one({ key }).cluster);
    }
  });
  test("about one key in ten goes to the smaller cluster", () => {
    const { "shop-v2": canaries = 0 } = shop.thousand((i) => ({ key: keys[i]! }));
    expect(canaries).toBeGreaterThan(70);
    expect(canaries).toBeLessThan(130);
  });
  test("when its weight grows, keys move to it and none away from it", () => {
    const more = weighed(80, 20);
    const moved = keys.filter((key) => shop.one({ key }).cluster !== more.one({ key }).cluster);
    expect(moved.map((key) => more.one({ key }).cluster)).toEqual(moved.map(() => "shop-v2"));
    expect(moved.length).toBeGreaterThan(70);
    expect(moved.length).toBeLessThan(130);
  });
  test("a call without a key is drawn", () => expect(shop.thousand(() => ({}))).toEqual({ "shop-v1": 900, "shop-v2": 100 }));
  test("an endpoint is held on to, and one that goes moves only its own", () => {
    const at = keys.map((key) => carts.one({ key }).endpoint);
    expect(keys.map((key) => carts.one({ key }).endpoint)).toEqual(at);
    expect(new Set(at).size).toBe(3);
    const gone = "https://carts-1.example.com";
    const clusters = config.clusters.map((cluster) => ({ ...cluster, localities: cluster.localities.map((locality) => ({ ...locality, endpoints: locality.endpoints.filter(({ url }) => url !== gone) })) }));
    const fewer = calls({ ...config, clusters }, "/acme.shop.v1.CartService/Get");
    for (const [i, key] of keys.entries()) if (at[i] !== gone) expect(fewer.one({ key }).endpoint).toBe(at[i]);
  });
});

test("active and passive: priority goes before distance, and weight 0 lets the next have the calls", () => {
  const ledger = "/acme.ledger.v1.LedgerService/Book";
  expect(calls(configOf("Active and passive"), ledger).regions({ place: newYork })).toEqual({ primary: 1 });
  expect(calls(configOf("Active and passive", "failover"), ledger).regions({ place: berlin })).toEqual({ standby: 1 });
});

test("the output of `fairlead explain` is what it prints", () => {
  const call = { path: users, host: "localhost", headers: new Headers(), place: london, address: null };
  const explained = explainImagined(configOf("The nearest region"), call, () => 0);
  expect(page).toContain(`--at 51.51,-0.13 --country GB\n${formatExplanation(explained!)}\n\`\`\``);
});
