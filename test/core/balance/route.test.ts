import { describe, expect, test } from "vitest";
import { router } from "../../../worker/core/balance/route.ts";
import type { CompiledMatch, CompiledRoute } from "../../../worker/core/config/compiled.ts";

const edits = { set: [], remove: [] };
function route(name: number, match: Partial<CompiledMatch> & Pick<CompiledMatch, "kind" | "path">): CompiledRoute {
  return {
    match: { host: null, basePath: "", metadata: [], ...match }, split: [{ cluster: name, weight: 1 }], sticky: null, residency: [], timeoutMs: 1, idleTimeoutMs: 1, maxDurationMs: 1,
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
