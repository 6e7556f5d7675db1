import { expect, it } from "vitest";
import { issuesOf } from "./temporary.ts";

/** A config with two versions in two regions, and these fields of its one route. */
function withRoute(fields: string): string {
  const cluster = "{ dialect: SAME, localities: [{ region: eu, at: { lat: 50, lng: 8 }, endpoints: [{ url: http://127.0.0.1:1 }] }, { region: us, at: { lat: 39, lng: -77 }, endpoints: [{ url: http://127.0.0.1:2 }] }] }";
  return [`clusters: { v1: ${cluster}, v2: ${cluster} }`, `routes: [{ match: { prefix: / }, ${fields} }]`].join("\n");
}
const split = "split: [{ cluster: v1, weight: 90 }, { cluster: v2, weight: 10 }]";
const messages = (fields: string): string[] => issuesOf(withRoute(fields)).map((issue) => issue.replace(/^\d+:\d+ /, ""));

it.each([
  [split, []],
  [`${split}, sticky: { header: x-user-id, endpoint: true }`, []],
  ["split: [{ cluster: v1 }, { cluster: v2, weight: 0 }], sticky: { client_address: true }", []],
  [`${split}, residency: [{ countries: [CH], regions: [us] }, { continents: [EU], regions: [eu] }, { unplaced: true, regions: [eu, us] }]`, []],
])("%s is good", (fields, issues) => expect(messages(fields)).toEqual(issues));

it.each([
  [`cluster: v1, ${split}`, "routes[0]: must have either cluster or split"],
  ["timeout: 1s", "routes[0]: must have either cluster or split"],
  ["split: [{ cluster: v1 }, { cluster: v3 }]", 'routes[0].split[1].cluster: unknown cluster "v3": did you mean "v1"?'],
  ["split: [{ cluster: v1 }, { cluster: v1 }, { cluster: v2 }]", 'routes[0].split[1].cluster: must be named once in a split: split[0] names "v1" too'],
  ["split: [{ cluster: v1, weight: 0 }, { cluster: v2, weight: 0 }]", "routes[0].split: must have a cluster whose weight is above 0: all are 0, so no call could go anywhere"],
  [`${split}, sticky: { header: x-real-ip }`, "routes[0].sticky.header: must be a header that callers may set: HTTP, the RPC protocols or the proxy own x-real-ip, and take it out first"],
  [`${split}, sticky: { endpoint: true }`, "routes[0].sticky: must have one of header, cookie, client_address"],
  [`${split}, residency: [{ regions: [eu] }]`, "routes[0].residency[0]: must name countries, continents or unplaced callers"],
  [`${split}, residency: [{ continents: [EU], regions: [eux] }]`, 'routes[0].residency[0].regions[0]: unknown region "eux": did you mean "eu"?'],
  [`${split}, residency: [{ countries: [UK], regions: [eu] }]`, `routes[0].residency[0].countries[0]: must be a country's code in ISO 3166-1 alpha-2: current value is "UK", the United Kingdom's is GB`],
  [`${split}, residency: [{ countries: [DE], regions: [eu] }, { countries: [FR, DE], regions: [us] }]`, "routes[0].residency[1]: must not say again what an earlier rule says: of DE"],
])("%s is refused", (fields, issue) => expect(messages(fields).filter((message) => !message.startsWith("warning")).join("\n")).toContain(issue));

it("residency that leaves a cluster of the split without a region is refused", () => {
  const yaml = withRoute(`${split}, residency: [{ continents: [EU], regions: [eu] }]`).replace("v2: { dialect: SAME, localities: [{ region: eu", "v2: { dialect: SAME, localities: [{ region: eu-west");
  expect(issuesOf(yaml).join("\n")).toContain('"v2" has eu-west, us, so these callers would be refused');
});

it("a region that is there twice, or on no map while others are, is told", () => {
  const localities = (second: string) => `clusters: { v1: { dialect: SAME, localities: [{ region: eu, at: { lat: 50, lng: 8 }, endpoints: [{ url: http://127.0.0.1:1 }] }, ${second}] } }\nroutes: [{ match: { prefix: / }, cluster: v1 }]`;
  const endpoints = "endpoints: [{ url: http://127.0.0.1:2 }]";
  expect(issuesOf(localities(`{ region: eu, at: { lat: 50, lng: 8 }, ${endpoints} }`)).join()).toContain('must be named once: localities[0] is "eu" too');
  expect(issuesOf(localities(`{ region: us, ${endpoints} }`)).join()).toContain("warning clusters.v1.localities[1]: has no place (at), so it counts as the farthest for every caller");
  expect(issuesOf(localities(`{ region: us, at: { lat: 91, lng: 0 }, ${endpoints} }`)).join()).toContain("clusters.v1.localities[1].at.lat: must be greater than or equal to -90 and less than or equal to 90");
});

it("stickiness that has nothing to choose, and conditions on headers that are taken out, are told", () => {
  expect(messages("cluster: v1, sticky: { cookie: session }")).toContain("warning routes[0].sticky: holds on to nothing: there is one cluster, and endpoint is not true");
  expect(issuesOf(withRoute(split).replace("prefix: /", "prefix: /, metadata: [{ name: x-forwarded-proto, exact: https }]")).join()).toContain("routes[0].match.metadata[0].name: must be a header that callers may set");
});

it("an environment may choose another of several fields", () => {
  const yaml = `${withRoute(split)}\nexplain: { secret: KEY }\nenvironments: { dev: { explain: { anybody: true } } }`;
  expect(issuesOf(yaml, { env: "dev" })).toEqual(issuesOf(yaml));
});

it("degrees must be a number", () => expect(issuesOf(withRoute(split).replace("lat: 50", 'lat: "50"')).join()).toContain('at.lat: must be a number: current value is "50"'));
