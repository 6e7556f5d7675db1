import { describe, expect, it } from "vitest";
import type { Explanation } from "../../worker/core/balance/explain.ts";
import { type Ended, fairleadIn } from "./fairlead.ts";
import { folder } from "./temporary.ts";

const locality = (region: string, lat: number, lng: number, more = "") => `{ region: ${region}, at: { lat: ${lat}, lng: ${lng} }, ${more}endpoints: [{ url: "https://${region}.example.com" }] }`;
const yaml = `
clusters:
  v1: { dialect: SAME, health_check: { service: "", regions: [weur, enam] }, localities: [${locality("eu", 50.1, 8.7)}, ${locality("us", 39, -77.5, "countries: [BR], ")}, ${locality("nz", -36.8, 174.8)}] }
  v2: { dialect: SAME, localities: [${locality("eu", 50.1, 8.7)}] }
routes:
  - match: { service: acme.v1.UserService }
    split: [{ cluster: v1, weight: 90 }, { cluster: v2, weight: 10 }]
    sticky: { header: x-user-id }
  - { match: { service: acme.v1.TeamService }, cluster: v1 }
  - { match: { service: acme.v1.UserService, base_path: /eu }, cluster: v1, residency: [{ continents: [EU], regions: [eu] }] }
auth: { rules: [{ match: { service: acme.v1.UserService }, allow: PUBLIC }] }
`;

function fairlead(...args: string[]): Promise<Ended> {
  return fairleadIn(folder({ "fairlead.yaml": yaml }))("explain", ...args);
}

describe("fairlead explain", () => {
  it("says where a call would go, by which rules, and how all calls like it are shared", async () => {
    const { code, out } = await fairlead("--call", "/acme.v1.UserService/Get", "--at", "-33.9,151.2", "--header", "x-user-id=7");
    expect(code).toBe(0);
    expect(out).toContain("split     v1 90 %, v2 10 %: this call belongs to v");
    expect(out).toContain("sticky    header x-user-id decides the cluster");
    expect(out).toMatch(/^90\.0 % +v1 +nz +\d+ +https:\/\/nz\.example\.com$/m);
    expect(out).toMatch(/^ +0 % +v1 +eu +\d+ +https:\/\/eu\.example\.com +farther$/m);
  });

  it("says whose probes count where the call would come in", async () => {
    const { out } = await fairlead("--call", "/acme.v1.UserService/Get", "--at", "48.2,16.4", "--header", "x-user-id=1");
    expect(out).toContain("probes    weur is near: an endpoint is out where probes from there fail\n");
    expect((await fairlead("--call", "/acme.v1.UserService/Get", "--at", "-33.9,151.2", "--header", "x-user-id=1")).out).toContain("probes    none of weur, enam is near: an endpoint is out where probes from all of them fail\n");
  });

  it("says who may call, and that a call is refused where nobody may", async () => {
    expect((await fairlead("--call", "/acme.v1.UserService/Get")).out).toContain("policy    by auth.rules[0] everybody may call it\n");
    const { code, out } = await fairlead("--call", "/acme.v1.TeamService/Get");
    expect([code, out]).toEqual([1, expect.stringMatching(/^route .*\npolicy +nothing says who may call it\n\nThis call would be refused\.$/m)]);
  });

  it("says the same as JSON, and the same again for the same sticky key", async () => {
    const ask = async () => (JSON.parse((await fairlead("--call", "/acme.v1.UserService/Get", "--country", "BR", "--header", "x-user-id=9", "--json")).out) as Explanation);
    const first = await ask();
    expect(first.rules.map(({ rule }) => rule)).toEqual(expect.arrayContaining(["route", "split", "sticky", "place"]));
    expect(first.localities.reduce((sum, { share }) => sum + share, 0)).toBeCloseTo(1);
    expect((await ask()).picked).toEqual(first.picked);
  });

  it("knows a continent by its country", async () => {
    expect((await fairlead("--call", "/eu/acme.v1.UserService/Get", "--country", "de")).out).toContain("callers of EU may be served in eu alone: not in us, nz");
  });

  it.each([
    [["--call", "/acme.v1.BookService/Get"], "No route matches /acme.v1.BookService/Get: the call would be refused as unimplemented."],
    [["--call", "acme"], "Cannot explain this call as its path must be"],
    [["--call", "/a.B/C", "--at", "100,1"], "Must be latitude from -90 to 90"],
    [["--call", "/a.B/C", "--country", "UK"], "Must be a country"],
    [["--call", "/a.B/C", "--header", "x"], "Must be a header's name, = and its value"],
  ])("%j is answered on stderr, with exit code 1", async (args, message) => {
    const { code, out, err } = await fairlead(...args);
    expect([code, out]).toEqual([1, ""]);
    expect(err).toContain(message);
  });
});
