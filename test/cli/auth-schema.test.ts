import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { check } from "../../cli/config/check.ts";
import { packagePath } from "../../cli/serve/root.ts";
import { folder, issuesIn, issuesOf, withRoutes } from "./temporary.ts";

const users = withRoutes("{ match: { service: acme.v1.UserService }, cluster: users }");
const forAll = "rules: [{ match: { prefix: / }, allow: PUBLIC }]";
const main = "issuer: https://id.example, audiences: [api], algorithms: [RS256]";
const unasked = "nothing asks for this provider";

describe("wrangler.toml", () => {
  const limited = (rest: string) => `${users}\nauth: { rate_limits: { each: { ${rest}, binding: EACH } }, rules: [{ match: { prefix: / }, allow: PUBLIC, rate_limits: [each] }] }`;
  const toml = (limit: number, period: number) => `[[ratelimits]]\nname = "EACH"\nnamespace_id = "1"\nsimple = { limit = ${limit}, period = ${period} }`;
  it("must have the rate limiter that a limit names, counting as it does", () => {
    expect(issuesOf(limited("calls: 100, period: 60s"), { wrangler: toml(100, 60) })).toEqual([]);
    expect(issuesOf(limited("calls: 100, period: 60s"), { wrangler: "" })).toEqual([expect.stringContaining('auth.rate_limits.each.binding: must be a rate limiter that wrangler.toml declares under [[ratelimits]]: current value is "EACH"')]);
    expect(issuesOf(limited("calls: 100, period: 30s"), { wrangler: toml(100, 60) })).toEqual([expect.stringContaining("auth.rate_limits.each.period: must be 10s or 60s with a binding, which knows no other: current value is 30s")]);
    expect(issuesOf(limited("calls: 100, period: 10s"), { wrangler: toml(99, 60) })).toEqual([expect.stringContaining('auth.rate_limits.each.calls: must be the limit of "EACH" in wrangler.toml, which is 99'), expect.stringContaining("which is 60: current value is 10s")]);
  });
  it("must have the KV that stored keys are in", () => {
    const stored = `${users}\nauth: { providers: { keys: { api_keys: { stored: true } } }, rules: [{ match: { prefix: / }, require: { provider: keys } }] }`;
    expect(issuesOf(stored, { wrangler: "" })).toEqual([expect.stringContaining('auth.providers.keys.api_keys.stored: needs [[kv_namespaces]] with binding = "FAIRLEAD" in wrangler.toml, where the keys are')]);
  });
});

describe("the schema", () => {
  const safe = "NO_SIDE_EFFECTS ";
  const proto = (options: readonly string[]) => `syntax = "proto3";
package acme.v1;
import "fairlead/policy/v1/policy.proto";
message Empty {}
service S {
${options.map((option, i) => `  rpc M${i}(Empty) returns (Empty) { option (fairlead.policy.v1.policy) = { ${option.replace(safe, "")} }; ${option.startsWith(safe) ? "option idempotency_level = NO_SIDE_EFFECTS;" : ""} }`).join("\n")}
}`;
  const directoryOf = (auth: string, ...options: string[]) => built(auth, proto(options), readFileSync(packagePath("proto/fairlead/policy/v1/policy.proto"), "utf8"));
  const built = (auth: string, service: string, policy: string) => {
    const directory = folder({ "buf.yaml": "version: v2\nmodules: [{ path: . }]", "s.proto": service });
    mkdirSync(join(directory, "fairlead/policy/v1"), { recursive: true });
    writeFileSync(join(directory, "fairlead/policy/v1/policy.proto"), policy);
    execFileSync(packagePath("node_modules/.bin/buf"), ["build", "-o", "users.binpb"], { cwd: directory });
    writeFileSync(join(directory, "fairlead.yaml"), `${withRoutes("{ match: { service: acme.v1.S }, cluster: users }")}\nauth: { ${auth} }`);
    return join(directory, "fairlead.yaml");
  };
  const provider = `providers: { main: { ${main}, discovery: true } }`;

  it("says who may call, and how long a call may take, where the config does not", () => {
    const file = directoryOf(`${provider}, rules: [{ match: { method: /acme.v1.S/M1 }, require: { scopes: [other] } }]`, "public: true", 'scopes: "a"', 'claims: [{ key: "org.id", value: { values: ["x", "y"] } }] timeout: { seconds: 2 } max_attempts: 1');
    const { config, issues } = check(file);
    expect(issues).toEqual([]);
    expect(config?.auth.policies.map(({ match, source, requirements }) => [match.path, source, requirements])).toEqual([
      ["/acme.v1.S/M1", "auth.rules[0]", [{ provider: 0, scopes: ["other"], claims: [], condition: null }]],
      ["/acme.v1.S/M0", "the schema", []],
      ["/acme.v1.S/M1", "the schema", [{ provider: 0, scopes: ["a"], claims: [], condition: null }]],
      ["/acme.v1.S/M2", "the schema", [{ provider: 0, scopes: [], claims: [{ path: ["org", "id"], values: ["x", "y"] }], condition: null }]],
    ]);
    expect(config?.methods.find(({ path }) => path === "/acme.v1.S/M2")).toMatchObject({ timeoutMs: 2000, maxAttempts: 1 });
  });

  it("grants nothing by a policy that says nothing of callers", () => {
    expect(issuesIn(directoryOf(provider, "timeout: { seconds: 2 }")).filter((issue) => !issue.endsWith(unasked))).toEqual([expect.stringContaining("warning routes[0].match: /acme.v1.S/M0 is refused: nothing in auth or the schema says who may call")]);
  });

  it("is checked as rules are", () => {
    expect(issuesIn(directoryOf(provider, 'provider: "mai"', 'public: true scopes: "a"', 'scopes: "a b"', 'scopes: "a" timeout: { seconds: 4000 } max_attempts: 9')).map((issue) => issue.replace(/^.*?descriptors: /, ""))).toEqual([
      '/acme.v1.S/M0 has a policy that has provider: unknown provider "mai": did you mean "main"?',
      "/acme.v1.S/M1 has a policy that must be either public or ask something of callers",
      '/acme.v1.S/M2 has a policy that has scopes: must be one scope, without blanks: current value is "a b"',
      "/acme.v1.S/M3 has a policy that must have a timeout above 0s and of at most 1h: current value is 4000s",
      "/acme.v1.S/M3 has a policy that must have max_attempts of at most 5: current value is 9",
    ]);
  });

  it("says how long replies may be kept, of methods without side effects alone, in whole seconds", () => {
    const kept = (cache: string) => `${safe}public: true cache: { ${cache} }`;
    const { config, issues } = check(directoryOf("", kept("max_age: { seconds: 60 } stale_while_revalidate: { seconds: 5 }"), kept('max_age: { seconds: 60 } vary: "x-tenant"')));
    expect(issues).toEqual([]);
    expect(config?.methods.map(({ cache }) => cache)).toEqual([{ maxAgeSeconds: 60, staleSeconds: 5, vary: [] }, { maxAgeSeconds: 60, staleSeconds: 0, vary: ["x-tenant"] }]);
    expect(config?.routes[0]).toMatchObject({ cache: null, open: expect.arrayContaining(["cache"]) as string[] });
    expect(issuesIn(directoryOf("", "public: true cache: { max_age: { seconds: 60 } }", kept("stale_while_revalidate: { seconds: 5 }"), kept("max_age: { seconds: 1 nanos: 500000000 }"), kept("max_age: { seconds: 60 } stale_while_revalidate: { seconds: -1 }"), kept('max_age: { seconds: 60 } vary: "X Tenant"'))).map((issue) => issue.replace(/^.*?descriptors: /, ""))).toEqual([
      "/acme.v1.S/M0 has a policy that may have cache only beside idempotency_level = NO_SIDE_EFFECTS: nothing else can be called with GET",
      "/acme.v1.S/M1 has a policy that must have a cache.max_age of whole seconds, from 1s to a year: current value is 0s",
      "/acme.v1.S/M2 has a policy that must have a cache.max_age of whole seconds, from 1s to a year: current value is 1.5s",
      "/acme.v1.S/M3 has a policy that must have a cache.stale_while_revalidate of whole seconds, of at most a year: current value is -1s",
      '/acme.v1.S/M4 has a policy that must name headers in lower case in cache.vary: current value is "X Tenant"',
    ]);
  });

  it("asks for no provider where a rule stands before it", () => {
    const hiding = `rules: [{ match: { service: acme.v1.S }, allow: PUBLIC }]`;
    const { config, issues } = check(directoryOf(hiding, 'scopes: "a"'));
    expect(issues.map(({ severity }) => severity)).toEqual(["warning"]);
    expect(config?.auth.policies.map(({ source }) => source)).toEqual(["auth.rules[0]"]);
    expect(issuesIn(directoryOf("", 'scopes: "a"'))).toEqual([expect.stringContaining("/acme.v1.S/M0 has a policy that needs a provider that vouches for callers: auth.providers has none")]);
  });

  it("is not opened by a broad rule without a word, but by one that names the method", () => {
    expect(issuesIn(directoryOf(`${provider}, ${forAll}`, 'scopes: "a"', "public: true"))).toEqual(["6:157 warning auth.rules[0].allow: lets everybody call what the schema protects: /acme.v1.S/M0"]);
    expect(issuesIn(directoryOf(`${provider}, rules: [{ match: { method: /acme.v1.S/M0 }, allow: PUBLIC }]`, 'scopes: "a"'))).toEqual([]);
  });

  it("is not weakened by a broad rule without a word, but by one that asks all that it asks and more", () => {
    const hiding = (asked: string) => issuesIn(directoryOf(`${provider}, rules: [{ match: { service: acme.v1.S }, ${asked} }]`, 'scopes: ["a", "b"]', 'claims: [{ key: "role", value: { values: ["x", "y"] } }]', "public: true")).map((issue) => issue.replace(/^\S+ /, ""));
    const warning = (at: string, ...methods: string[]) => [`warning auth.rules[0].${at}: stands before the schema, and does not ask all that it asks: ${methods.map((method) => `/acme.v1.S/${method}`).join(", ")}`];
    expect(hiding("require: {}")).toEqual(warning("require", "M0", "M1"));
    expect(hiding("require: { scopes: [a] }")).toEqual(warning("require", "M0", "M1"));
    expect(hiding("require: { scopes: [b, a] }")).toEqual(warning("require", "M1"));
    expect(hiding("require: { scopes: [a, b], claims: { role: { values: [x, z] } } }")).toEqual(warning("require", "M1"));
    expect(hiding("any: [{ scopes: [a, b], claims: { role: { values: [x] } } }, { scopes: [a, b] }]")).toEqual(warning("any", "M1"));
    expect(hiding("require: { scopes: [a, b, c], claims: { role: { values: [x] } } }")).toEqual([]);
  });

  it("is not what another project means by the option's number", () => {
    const audit = 'syntax = "proto3";\npackage acme.audit;\nimport "google/protobuf/descriptor.proto";\nmessage Audit { bool enabled = 1; }\nextend google.protobuf.MethodOptions { Audit audit = 52201; }';
    const service = proto(["enabled: true"]).replace("(fairlead.policy.v1.policy)", "(acme.audit.audit)");
    expect(issuesIn(built(provider, service, audit)).filter((issue) => !issue.includes("warning"))).toEqual(["1:1 descriptors: /acme.v1.S/M0 has the option 52201, which must be fairlead.policy.v1.policy: it is acme.audit.audit"]);
    expect(issuesIn(built(provider, service.replace(/option [^;]*;/, ""), audit)).filter((issue) => !issue.includes("warning"))).toEqual([]);
  });
});
