import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { Explanation } from "../../worker/core/balance/explain.ts";
import { call } from "./client.ts";
import { defects, type Proxy, runtimes, startProxy } from "./harness.ts";
import { type RawOrigin, replies, startRawOrigin } from "./origin.ts";
import { callerDialects, type CallerDialect, request, understand } from "./wire.ts";

const places = {
  frankfurt: { "x-lat": "50.11", "x-lng": "8.68" },
  east: { "x-lat": "-17.8", "x-lng": "179.9" },
  west: { "x-lat": "-17.8", "x-lng": "-179.9" },
  newYork: { "x-lat": "40.7", "x-lng": "-74.0" },
};

/** Every endpoint is the one raw origin, behind a prefix that names version and region. */
function config(url: string): string {
  const locality = (version: string, region: string, at: string) => `{ region: ${region}, at: ${at}, endpoints: [{ url: "${url}/${version}/${region}" }] }`;
  const cluster = (version: string) =>
    `{ dialect: SAME, localities: [${[locality(version, "eu", "{ lat: 50.1, lng: 8.7 }"), locality(version, "us", "{ lat: 39.0, lng: -77.5 }"), locality(version, "pacific", "{ lat: -36.8, lng: 174.8 }")].join(", ")}] }`;
  const split = "split: [{ cluster: v1, weight: 90 }, { cluster: v2, weight: 10 }]";
  return `
methods: [{ path: /test.v1.Test/Unary, kind: UNARY }, { path: /test.v1.Test/Server, kind: SERVER_STREAM }]
clusters: { v1: ${cluster("v1")}, v2: ${cluster("v2")} }
routes:
  - { match: { service: test.v1.Test }, ${split} }
  - { match: { service: test.v1.Test, base_path: /near }, cluster: v1 }
  - { match: { service: test.v1.Test, base_path: /header }, ${split}, sticky: { header: x-user } }
  - { match: { service: test.v1.Test, base_path: /cookie }, ${split}, sticky: { cookie: session } }
  - { match: { service: test.v1.Test, base_path: /address }, split: [{ cluster: v1 }, { cluster: v2 }], sticky: { client_address: true, endpoint: true } }
  - match: { service: test.v1.Test, base_path: /resident }
    cluster: v1
    residency: [{ continents: [EU], regions: [eu] }, { countries: [CH], regions: [us] }, { unplaced: true, regions: [pacific] }]
place_headers: { latitude: x-lat, longitude: x-lng, country: x-country }
explain: { secret: EXPLAIN_KEY }
cors: { allowed_origins: ["*"] }
`;
}

describe.each(runtimes)("routing on %s", (runtime) => {
  let origin: RawOrigin;
  let proxy: Proxy;
  beforeAll(async () => {
    origin = await startRawOrigin();
    proxy = await startProxy(runtime, config(origin.url), { EXPLAIN_KEY: "open sesame" });
  });
  afterAll(async () => {
    await proxy.stop();
    await origin.stop();
    expect(defects(proxy.log())).toEqual([]);
  });
  beforeEach(() => origin.answer((response) => void response.writeHead(200, { "content-type": "application/proto", "fairlead-explanation": "forged" }).end("x")));

  const send = (base: string, more: Record<string, string> = {}, dialect: CallerDialect = "connect-unary") => {
    const { headers, body } = request(dialect, "x");
    return call(proxy.port, { path: `${base}/test.v1.Test/${dialect === "connect-stream" ? "Server" : "Unary"}`, headers: { ...headers, ...more }, body });
  };
  /** `VERSION/REGION` of each call's endpoint. */
  async function went(times: number, base: string, more?: Record<string, string>): Promise<string[]> {
    const before = origin.seen.length;
    for (let i = 0; i < times; i++) await send(base, more);
    return origin.seen.slice(before).map(({ url }) => url.split("/").slice(1, 3).join("/"));
  }

  it("a caller near Frankfurt goes to Europe, and both sides of the date line to the same Pacific locality", async () => {
    expect(new Set(await went(20, "/near", places.frankfurt))).toEqual(new Set(["v1/eu"]));
    expect(new Set(await went(20, "/near", places.newYork))).toEqual(new Set(["v1/us"]));
    expect(new Set([...(await went(20, "/near", places.east)), ...(await went(20, "/near", places.west))])).toEqual(new Set(["v1/pacific"]));
  });

  it.each([{}, { "x-lat": "NaN", "x-lng": "8" }, { "x-lat": "91", "x-lng": "8" }, { "x-lat": "50" }])("a caller at %j is at no known place, and goes by weight", async (headers) => {
    expect(new Set(await went(120, "/near", headers))).toEqual(new Set(["v1/eu", "v1/us", "v1/pacific"]));
  });

  it("calls are split 90 to 10", async () => {
    const versions = (await went(1000, "", places.frankfurt)).map((to) => to.split("/")[0]);
    // Hoeffding's bound for 1,000 draws at p = 1e-9.
    expect(Math.abs(versions.filter((version) => version === "v2").length / 1000 - 0.1)).toBeLessThan(0.104);
  });

  it("a caller keeps its version by a header or a cookie, and callers are split", async () => {
    for (const [base, headers] of [["/header", (key: number) => ({ "x-user": `user-${key}` })], ["/cookie", (key: number) => ({ cookie: `a=b; session=s${key}; c=d` })]] as const) {
      const kept: (string | undefined)[] = [];
      for (let key = 0; key < 60; key++) {
        const to = await went(3, base, { ...headers(key), ...places.frankfurt });
        expect(new Set(to).size).toBe(1);
        kept.push(to[0]);
      }
      expect(new Set(kept)).toEqual(new Set(["v1/eu", "v2/eu"]));
    }
  });

  it("a caller keeps its version and its endpoint by its address", async () => {
    expect(new Set(await went(30, "/address")).size).toBe(1);
  });

  it("residency holds against distance, a country goes before its continent, and callers of no known place have a rule of their own", async () => {
    expect(new Set(await went(10, "/resident", { ...places.newYork, "x-country": "DE" }))).toEqual(new Set(["v1/eu"]));
    expect(new Set(await went(10, "/resident", { ...places.frankfurt, "x-country": "CH" }))).toEqual(new Set(["v1/us"]));
    expect(new Set(await went(10, "/resident"))).toEqual(new Set(["v1/pacific"]));
    expect(new Set(await went(10, "/resident", { ...places.east, "x-country": "FJ" }))).toEqual(new Set(["v1/pacific"]));
  });

  describe("a call may ask why it went where it went", () => {
    const ask = { "fairlead-explain": "open sesame", ...places.frankfurt };

    it("and is told in a header that a page may read; the origin hears nothing of it", async () => {
      const { headers } = await send("/near", { ...ask, origin: "https://app.example" });
      const { rules, localities, picked } = JSON.parse(String(headers["fairlead-explanation"])) as Explanation;
      expect(picked).toEqual({ cluster: "v1", region: "eu", endpoint: `${origin.url}/v1/eu` });
      expect(rules.map(({ rule }) => rule)).toEqual(["route", "policy", "place", "distance", "endpoint"]);
      expect(localities.map(({ region, share, km, out }) => [region, share, km! < 10, out])).toEqual([["eu", 1, true, undefined], ["us", 0, false, "farther"], ["pacific", 0, false, "farther"]]);
      expect(headers["access-control-expose-headers"]).toContain("fairlead-explanation");
      expect(origin.seen.at(-1)!.headers["fairlead-explain"]).toBeUndefined();
    });

    it.each(callerDialects)("also where the call fails, in %s", async (dialect) => {
      origin.answer(replies(503, { "content-type": "text/plain" }, "down"));
      const reply = await send("/near", ask, dialect);
      expect(understand(dialect, reply).code).toBe("unavailable");
      expect(JSON.parse(String(reply.headers["fairlead-explanation"]))).toMatchObject({ picked: { region: expect.stringMatching(/^(eu|us)$/) as string } }); // After some failures eu is left alone.
    });

    it("but not without the secret, and an origin cannot tell it", async () => {
      for (const more of [{}, { "fairlead-explain": "" }, { "fairlead-explain": "open sesam" }, { "fairlead-explain": "open sesame!" }]) {
        expect((await send("/near", more)).headers["fairlead-explanation"]).toBeUndefined();
      }
    });
  });
});
