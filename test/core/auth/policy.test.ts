import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { policyFinder } from "../../../worker/core/auth/policy.ts";
import { type CompiledPolicy, schemaSource } from "../../../worker/core/config/compiled-auth.ts";

type Kind = CompiledPolicy["match"]["kind"];
const policy = (kind: Kind, path: string, source: string): CompiledPolicy => ({ match: { kind, path }, source, requirements: [], authorizer: null, rateLimits: [] });

describe("the policy of a method", () => {
  const find = policyFinder([
    policy("prefix", "/", "all"), policy("prefix", "/a.", "a."), policy("service", "/a.S/", "service"), policy("method", "/a.S/M", "method"), policy("method", "/a.S/M", "again"), policy("prefix", "/a.S/N", "long"),
    policy("method", "/a.S/N", schemaSource),
  ]);
  it.each([["/a.S/M", "method"], ["/a.S/N", "service"], ["/a.S/m", "service"], ["/a.T/M", "a."], ["/b.S/M", "all"], ["/a.S", "a."]])("%s is that of %s", (path, source) => {
    expect(find(path)?.source).toBe(source);
  });

  it("is the schema's only where the config has none", () => {
    const both = policyFinder([policy("prefix", "/a.", "config"), policy("method", "/a.S/M", schemaSource), policy("method", "/b.S/M", schemaSource)]);
    expect(["/a.S/M", "/b.S/M", "/b.S/N"].map((path) => both(path)?.source)).toEqual(["config", schemaSource, undefined]);
  });

  it("is the same however often it is asked for, and however many others are", () => {
    const paths = fc.array(fc.constantFrom("/a.S/M", "/a.S/N", "/a.T/M", "/b.S/M", "/x.Y/Z").map((path) => path));
    fc.assert(fc.property(paths, fc.nat(5000), (asked, others) => {
      const one = policyFinder([policy("service", "/a.S/", "s"), policy("prefix", "/b", "b")]);
      for (let i = 0; i < others; i++) one(`/c.S/M${i}`);
      const expected: Record<string, string | undefined> = { "/a.S/M": "s", "/a.S/N": "s", "/b.S/M": "b" };
      for (const path of asked) expect(one(path)?.source).toBe(expected[path]);
    }), { numRuns: 30 });
  });
});
