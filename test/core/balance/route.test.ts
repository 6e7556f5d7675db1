import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { isMethodPath, type Routable, router } from "../../../worker/core/balance/route.ts";
import type { CompiledMatch, CompiledRoute } from "../../../worker/core/config/compiled.ts";

const edits = { set: [], remove: [] };
function route(name: number, match: Partial<CompiledMatch> & Pick<CompiledMatch, "kind" | "path">): CompiledRoute {
  return {
    match: { host: null, basePath: "", metadata: [], ...match }, split: [{ cluster: name, weight: 1 }], sticky: null, residency: [], retry: { maxAttempts: 3, codes: ["unavailable"], perTryTimeoutMs: 800, hedgingDelayMs: null }, timeoutMs: 1, idleTimeoutMs: 1, maxDurationMs: 1,
    requestHeaders: edits, responseHeaders: edits, forwardedHeaders: false, streams: "watched", cache: null, open: [],
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
  return routed && [routed.route.split[0]!.cluster, routed.methodPath];
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

/** All routes that fit, by the rules one after the other: what `router` must agree with. */
function naively(routes: readonly CompiledRoute[], { path, host, metadata }: Routable): CompiledRoute | undefined {
  const fitting = routes.filter(({ match }) => {
    const methodPath = path.slice(match.basePath.length);
    if (!path.startsWith(match.basePath) || !isMethodPath(methodPath) || (match.host !== null && match.host !== host)) return false;
    if (match.kind === "method" ? methodPath !== match.path : !methodPath.startsWith(match.path)) return false;
    return match.metadata.every(({ name, exact, prefix, present }) => {
      const value = metadata.get(name);
      if (present !== null) return present === (value !== null);
      return value !== null && (exact === null ? value.startsWith(prefix!) : value === exact);
    });
  });
  const rank = ({ match: { kind, path, host, metadata } }: CompiledRoute): number[] => [kind === "method" ? 2 : kind === "service" ? 1 : 0, path.length, host === null ? 0 : 1, metadata.length];
  return fitting.toSorted((a, b) => rank(b).map((one, i) => one - rank(a)[i]!).find((difference) => difference !== 0) ?? 0)[0];
}

describe("a thousand routes", () => {
  const service = fc.constantFrom("a", "acme.User", "acme.Users", "acme.v1.User", "_");
  const method = fc.constantFrom("Get", "GetAll", "a", "_1");
  const basePath = fc.constantFrom("", "", "", "/api", "/api/v1", "/acme.User", "/acme.User/Get");
  const host = fc.constantFrom("a.example", "b.example", "");
  const name = fc.constantFrom("x-canary", "x-team");
  const condition = fc.oneof(
    name.map((name) => ({ name, exact: "1", prefix: null, present: null })),
    fc.tuple(name, fc.constantFrom("1", "a", "")).map(([name, prefix]) => ({ name, exact: null, prefix, present: null })),
    fc.tuple(name, fc.boolean()).map(([name, present]) => ({ name, exact: null, prefix: null, present })),
  );
  const path = fc.oneof(
    fc.tuple(service, method).map(([s, m]) => ({ kind: "method" as const, path: `/${s}/${m}` })),
    service.map((s) => ({ kind: "service" as const, path: `/${s}/` })),
    fc.tuple(service, method, fc.nat(16)).map(([s, m, length]) => ({ kind: "prefix" as const, path: `/${s}/${m}`.slice(0, length + 1) })),
  );
  const anyMatch = fc.tuple(path, fc.record({ basePath, host: fc.option(host.filter((h) => h !== "")), metadata: fc.array(condition, { maxLength: 3 }) })).map(([one, rest]) => ({ ...one, ...rest }));
  const call = fc.record({
    path: fc.oneof({ weight: 9, arbitrary: fc.tuple(basePath, service, method).map(([b, s, m]) => `${b}/${s}/${m}`) }, { weight: 1, arbitrary: fc.constantFrom("", "/", "//", "/a", "a/Get", "/a/Get/", "//a/Get", "/api//Get") }),
    host, metadata: fc.dictionary(name, fc.constantFrom("1", "12", "a", "")).map((some) => new Headers(some)),
  });

  test("of every kind are found as if each were looked at, most specific first", () => {
    fc.assert(fc.property(fc.constantFrom(10, 50, 1000).chain((count) => fc.array(anyMatch, { minLength: count, maxLength: count })), fc.array(call, { minLength: 100, maxLength: 100 }), (matches, calls) => {
      const routes = matches.map((match, i) => route(i, match));
      const find = router(routes);
      for (const one of calls) {
        const found = find(one);
        expect(found?.route.split[0]!.cluster).toBe(naively(routes, one)?.split[0]!.cluster);
        if (found !== undefined) expect(found.route.match.basePath + found.methodPath).toBe(one.path);
      }
    }), { numRuns: 20 });
  });
});
