import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Called, policyFinder } from "../../../worker/core/auth/policy.ts";
import { type CompiledPolicy, schemaSource } from "../../../worker/core/config/compiled-auth.ts";

const elsewhere: Called = { host: "x.example", basePath: "/x" };
type Kind = CompiledPolicy["match"]["kind"];
const policy = (kind: Kind, path: string, source: string, name: Partial<Called> = {}): CompiledPolicy => ({ match: { kind, path, host: null, basePath: null, ...name }, source, requirements: [], authorizer: null, rateLimits: [] });

describe("the policy of a method", () => {
  const find = policyFinder([
    policy("prefix", "/", "all"), policy("prefix", "/a.", "a."), policy("service", "/a.S/", "service"), policy("method", "/a.S/M", "method"), policy("method", "/a.S/M", "again"), policy("prefix", "/a.S/N", "long"),
    policy("method", "/a.S/N", schemaSource),
  ]);
  it.each([["/a.S/M", "method"], ["/a.S/N", "service"], ["/a.T/M", "a."], ["/b.S/M", "all"], ["/a.S", "a."]])("%s is that of %s", (path, source) => {
    expect(find(path, elsewhere)?.source).toBe(source);
  });

  it("is the schema's only where the config has none", () => {
    const both = policyFinder([policy("prefix", "/a.", "config"), policy("method", "/a.S/M", schemaSource), policy("method", "/b.S/M", schemaSource)]);
    expect(["/a.S/M", "/b.S/M", "/b.S/N"].map((path) => both(path, elsewhere)?.source)).toEqual(["config", schemaSource, undefined]);
  });

  it.each([["/a.S/m", undefined], ["/A.S/M", undefined], ["/A.s/X", undefined], ["/A.T/M", undefined], ["/a.s/n", undefined], ["/B.S/M", "all"], ["/a.S/X", "service"], ["/c.S/M", "upper"], ["/c.s/M", "lower"]])("%s is of nobody where another one names it in another case: %s", (path, source) => {
    const alike = policyFinder([
      policy("prefix", "/", "all"), policy("prefix", "/a.", "a."), policy("service", "/a.S/", "service"), policy("method", "/a.S/M", "method"), policy("prefix", "/a.S/N", "long"),
      policy("service", "/c.S/", "upper"), policy("service", "/c.s/", "lower"),
    ]);
    expect(alike(path, elsewhere)?.source).toBe(source);
  });

  it("is the same however often it is asked for, and however many others are", () => {
    const paths = fc.array(fc.constantFrom("/a.S/M", "/a.S/N", "/a.T/M", "/b.S/M", "/x.Y/Z").map((path) => path));
    fc.assert(fc.property(paths, fc.nat(5000), (asked, others) => {
      const one = policyFinder([policy("service", "/a.S/", "s"), policy("prefix", "/b", "b")]);
      for (let i = 0; i < others; i++) one(`/c.S/M${i}`, elsewhere);
      const expected: Record<string, string | undefined> = { "/a.S/M": "s", "/a.S/N": "s", "/b.S/M": "b" };
      for (const path of asked) expect(one(path, elsewhere)?.source).toBe(expected[path]);
    }), { numRuns: 30 });
  });
});

/** All policies that fit, by the rules one after the other: what `policyFinder` must agree with. */
function naively(policies: readonly CompiledPolicy[], path: string, { host, basePath }: Called): CompiledPolicy | undefined {
  const fitting = policies.filter(({ match }) => (match.host === null || match.host === host) && (match.basePath === null || match.basePath === basePath) && (match.kind === "method" ? path === match.path : path.startsWith(match.path)));
  const rank = ({ source, match }: CompiledPolicy): number[] => [source === schemaSource ? 0 : 1, match.kind === "method" ? 2 : match.kind === "service" ? 1 : 0, match.path.length, match.host === null ? 0 : 1, match.basePath === null ? 0 : 1];
  return fitting.toSorted((a, b) => rank(b).map((one, i) => one - rank(a)[i]!).find((difference) => difference !== 0) ?? 0)[0];
}

describe("the policy of a method that is called by a name", () => {
  const find = policyFinder([
    policy("service", "/a.S/", "all"), policy("service", "/a.S/", "host", { host: "h.example" }), policy("service", "/a.S/", "base", { basePath: "/b" }), policy("service", "/a.S/", "both", { host: "h.example", basePath: "/b" }),
    policy("service", "/a.S/", "root", { basePath: "" }), policy("method", "/a.S/M", "method"),
  ]);
  it.each([
    ["/a.S/N", "h.example", "/b", "both"],
    ["/a.S/N", "h.example", "/c", "host"],
    ["/a.S/N", "g.example", "/b", "base"],
    ["/a.S/N", "g.example", "", "root"],
    ["/a.S/N", "g.example", "/c", "all"],
    ["/a.S/M", "h.example", "/b", "method"],
    ["/a.T/N", "h.example", "/b", undefined],
  ])("%s by %s and %s is that of %s", (path, host, basePath, source) => {
    expect(find(path, { host, basePath })?.source).toBe(source);
  });

  it("is the most specific one of any, however they are mixed", () => {
    const any = fc.record({
      kind: fc.constantFrom<Kind>("method", "service", "prefix"),
      host: fc.constantFrom(null, "h.example", "g.example"),
      basePath: fc.constantFrom(null, "", "/b"),
      at: fc.nat(2),
      schema: fc.boolean(),
    }).map(({ kind, host, basePath, at, schema }) => {
      const path = { method: ["/a.S/M", "/a.S/N", "/a.T/M"], service: ["/a.S/", "/a.T/", "/b.S/"], prefix: ["/", "/a.", "/a.S/M"] }[kind][at]!;
      return schema ? policy("method", "/a.S/M", schemaSource) : policy(kind, path, "config", { host, basePath });
    });
    const called = fc.record({ host: fc.constantFrom(null, "h.example", "g.example", "x.example"), basePath: fc.constantFrom(null, "", "/b", "/c") });
    fc.assert(fc.property(fc.array(any, { maxLength: 12 }), fc.constantFrom("/a.S/M", "/a.S/N", "/a.T/M", "/b.S/M"), called, (policies, path, name) => {
      expect(policyFinder(policies)(path, name)).toBe(naively(policies, path, name));
    }), { numRuns: 2000 });
  });
});
