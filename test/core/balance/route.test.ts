import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { picker } from "../../../worker/core/balance/pick.ts";
import { router } from "../../../worker/core/balance/route.ts";
import type { CompiledCluster, CompiledMatch, CompiledRoute } from "../../../worker/core/config/compiled.ts";

const edits = { set: [], remove: [] };
function route(name: number, match: Partial<CompiledMatch> & Pick<CompiledMatch, "kind" | "path">): CompiledRoute {
  return {
    match: { host: null, basePath: "", metadata: [], ...match }, cluster: name, timeoutMs: 1, idleTimeoutMs: 1, maxDurationMs: 1,
    requestHeaders: edits, responseHeaders: edits, forwardedHeaders: false, streams: "watched",
  };
}
const routes = [
  route(0, { kind: "prefix", path: "/" }),
  route(1, { kind: "prefix", path: "/acme." }),
  route(2, { kind: "service", path: "/acme.User/" }),
  route(3, { kind: "method", path: "/acme.User/Get" }),
  route(4, { kind: "method", path: "/acme.User/Get", host: "beta.example" }),
  route(5, { kind: "service", path: "/acme.User/", metadata: [{ name: "x-canary", exact: "1", prefix: null, present: null }] }),
  route(6, { kind: "service", path: "/acme.User/", basePath: "/api" }),
];
function find(path: string, host = "a.example", metadata = {}): [number, string] | undefined {
  const routed = router(routes)({ path, host, metadata: new Headers(metadata) });
  return routed && [routed.route.cluster, routed.methodPath];
}

describe("a route is chosen", () => {
  test("by exact method before service before the longest prefix", () => {
    expect(find("/acme.User/Get")?.[0]).toBe(3);
    expect(find("/acme.User/List")?.[0]).toBe(2);
    expect(find("/acme.Team/List")?.[0]).toBe(1);
    expect(find("/other.Team/List")?.[0]).toBe(0);
  });
  test("by host and metadata among equals", () => {
    expect(find("/acme.User/Get", "beta.example")?.[0]).toBe(4);
    expect(find("/acme.User/List", "a.example", { "x-canary": "1" })?.[0]).toBe(5);
  });
  test("under its base path, which does not go on", () => expect(find("/api/acme.User/Get")).toEqual([6, "/acme.User/Get"]));
  test.each(["/acme.User/Get/", "//acme.User/Get", "/acme.User/../User/Get", "/acme.User%2FGet", "/acme.User/Get%20", "/acme.User", "/", "/api/x/acme.User/Get"])(
    "never for %s, which is no method's path", (path) => expect(find(path)).toBeUndefined());
});

describe("an endpoint is picked", () => {
  const endpoint = (url: string, weight: number) => ({ url, binding: null, authority: null, weight });
  const cluster = (localities: CompiledCluster["localities"]): CompiledCluster => ({ name: "c", dialect: "connect", codecs: ["proto"], localities });
  const weights = fc.array(fc.record({ weight: fc.nat(9), endpoints: fc.array(fc.nat(9), { minLength: 1, maxLength: 5 }) }), { minLength: 1, maxLength: 6 });

  test("in proportion to its locality's weight and its own; never one that weighs nothing", () => {
    fc.assert(
      fc.property(weights, (localities) => {
        const pick = picker(cluster(localities.map(({ weight, endpoints }, l) => ({ region: `r${l}`, weight, endpoints: endpoints.map((w, e) => endpoint(`${l}/${e}`, w)) }))));
        const sum = localities.reduce((s, { weight, endpoints }) => s + (endpoints.some((w) => w > 0) ? weight : 0), 0);
        if (sum === 0) {
          expect(pick(0.5)).toBeUndefined();
          return;
        }
        const seen = new Map<string, number>();
        const steps = 5000;
        for (let i = 0; i < steps; i++) {
          const { url } = pick((i + 0.5) / steps)!.endpoint;
          seen.set(url, (seen.get(url) ?? 0) + 1 / steps);
        }
        localities.forEach(({ weight, endpoints }, l) => {
          const inside = endpoints.reduce((s, w) => s + w, 0);
          endpoints.forEach((w, e) => {
            const share = inside === 0 ? 0 : (weight / sum) * (w / inside);
            expect(Math.abs((seen.get(`${l}/${e}`) ?? 0) - share)).toBeLessThan(0.002);
          });
        });
      }),
      { numRuns: 30 },
    );
  });
});
