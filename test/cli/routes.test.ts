import { expect, it } from "vitest";
import { issuesOf, withRoutes } from "./temporary.ts";

const unreachable = (route: number, other: number, line: number) => expect.stringContaining(`routes[${route}].match: cannot be reached: all it matches goes to routes[${other}] (line ${line})`);

it("two routes with the same match are refused", () => {
  expect(issuesOf(withRoutes("{ match: { service: acme.v1.UserService }, cluster: users }", "{ match: { service: acme.v1.UserService }, cluster: users }"))).toEqual([
    "6:7 routes[1].match: must differ from that of routes[0] (line 5)",
  ]);
});

it("a prefix inside a service that another route takes whole cannot be reached, wherever it stands", () => {
  expect(issuesOf(withRoutes("{ match: { prefix: /acme.v1.UserService/G }, cluster: users }", "{ match: { service: acme.v1.UserService }, cluster: users }"))).toEqual([unreachable(0, 1, 6)]);
});

it("a condition that implies an earlier one of the same match cannot be reached", () => {
  const route = (condition: string) => `{ match: { prefix: /, metadata: [{ name: x, ${condition} }] }, cluster: users }`;
  expect(issuesOf(withRoutes(route("present: true"), route("exact: a")))).toEqual([unreachable(1, 0, 5)]);
  expect(issuesOf(withRoutes(route("exact: a"), route("present: true")))).toEqual([]);
});

it("routes that differ by host, base path or metadata can all be reached", () => {
  const service = "service: acme.v1.UserService";
  expect(
    issuesOf(
      withRoutes(
        `{ match: { ${service} }, cluster: users }`,
        `{ match: { ${service}, host: a.example }, cluster: users }`,
        `{ match: { ${service}, base_path: /api }, cluster: users }`,
        `{ match: { ${service}, metadata: [{ name: x, exact: a }] }, cluster: users }`,
        "{ match: { method: /acme.v1.UserService/Get }, cluster: users }",
        "{ match: { prefix: /acme. }, cluster: users }",
        "{ match: { prefix: / }, cluster: users }",
      ),
    ),
  ).toEqual([]);
});

it("a prefix that begins no method's path is refused", () => {
  expect(issuesOf(withRoutes("{ match: { prefix: /api/acme.v1.UserService/Get }, cluster: users }"))).toEqual([
    '5:24 routes[0].match.prefix: must begin a /package.Service/Method, else nothing matches: current value is "/api/acme.v1.UserService/Get"',
  ]);
});

it("a method that nothing describes is warned of, with the one that was meant", () => {
  expect(issuesOf(withRoutes("{ match: { method: /acme.v1.UserService/Gat }, cluster: users }"))).toEqual([
    '5:24 warning routes[0].match.method: no descriptor or declaration knows /acme.v1.UserService/Gat, so it can only pass: did you mean "/acme.v1.UserService/Get"?',
  ]);
});

it("a route whose methods cannot be called with GET is warned of what it says of caches, which must be in whole seconds", () => {
  const cached = (match: string, age = "60s") => issuesOf(withRoutes(`{ match: { ${match} }, cluster: users, cache: { max_age: ${age} } }`));
  expect(cached("service: acme.v1.UserService")).toEqual([]);
  expect(cached("method: /acme.v1.UserService/Watch")).toEqual([expect.stringContaining("warning routes[0].cache: is for Connect GET, which no method of the route can be called with: none is NO_SIDE_EFFECTS")]);
  expect(cached("prefix: /", "1500ms")).toEqual([expect.stringContaining("routes[0].cache: must be in whole seconds")]);
  expect(cached("prefix: /", "-1s")).toEqual([expect.stringContaining("routes[0].cache.max_age")]);
});

it.each([
  ["exact: a", "exact: b"], ["exact: a", "prefix: b"], ["prefix: aa", "prefix: ab"], ["present: false", "exact: a"], ["present: false", "present: true"], ["present: false", "prefix: \"\""],
])("a match that wants %s and %s of one header is refused", (one, other) => {
  expect(issuesOf(withRoutes(`{ match: { prefix: /, metadata: [{ name: x, ${one} }, { name: x, ${other} }] }, cluster: users }`))).toEqual([
    expect.stringContaining('routes[0].match.metadata: nothing matches: what it wants of "x" contradicts itself'),
  ]);
});

it.each([["exact: ab", "prefix: a"], ["prefix: ab", "prefix: a"], ["present: true", "exact: \"\""], ["present: false", "present: false"]])("a match that wants %s and %s of one header can be met", (one, other) => {
  expect(issuesOf(withRoutes(`{ match: { prefix: /, metadata: [{ name: x, ${one} }, { name: x, ${other} }] }, cluster: users }`))).toEqual([]);
});

it.each(["/..", "/a/../b", "/.", "/a/./b"])("a base path that no URL has is refused: %s", (basePath) => {
  expect(issuesOf(withRoutes(`{ match: { prefix: /, base_path: ${basePath} }, cluster: users }`))).toEqual([expect.stringContaining("routes[0].match.base_path: ")]);
});
