import { describe, expect, it } from "vitest";
import { issuesOf, withLocalities } from "./temporary.ts";

const yaml = `${withLocalities("[{ region: a, endpoints: [{ url: http://a, binding: USERS }] }]")}\nenvironments: { staging: {} }`;
const missing = (where: string, more = "") =>
  `5:69 clusters.users.localities[0].endpoints[0].binding: must be a binding that ${where} declares under services, vpc_services, mtls_certificates: current value is "USERS"${more}`;

it("a binding that wrangler.toml lacks is refused at the endpoint that names it", () => {
  expect(issuesOf(yaml, { wrangler: '[[services]]\nbinding = "USER"\nservice = "users"' })).toEqual([missing("wrangler.toml", ': did you mean "USER"?')]);
});

it.each(["services", "vpc_services", "mtls_certificates"])("a binding under %s will do", (kind) => {
  expect(issuesOf(yaml, { wrangler: `[[${kind}]]\nbinding = "USERS"` })).toEqual([]);
});

it("an environment of wrangler.toml has its own bindings and no others", () => {
  const top = '[[services]]\nbinding = "USERS"\nservice = "users"\n';
  expect(issuesOf(yaml, { env: "staging", wrangler: `${top}[env.staging]\nname = "x"` })).toEqual([missing("[env.staging] of wrangler.toml")]);
  expect(issuesOf(yaml, { env: "staging", wrangler: '[[env.staging.services]]\nbinding = "USERS"\nservice = "users"' })).toEqual([]);
  expect(issuesOf(yaml, { env: "staging", wrangler: top })).toEqual([]);
});

it("a cache before the Worker is refused, as it would answer before any caller is authenticated", () => {
  const wrangler = '[[services]]\nbinding = "USERS"\n\n[cache]\nenabled = true';
  expect(issuesOf(yaml, { wrangler })).toEqual(["wrangler.toml:4:1 cache.enabled: must not be true on the default entrypoint: the cache answers before any caller is authenticated"]);
  expect(issuesOf(yaml, { wrangler: wrangler.replace("true", "false") })).toEqual([]);
});

it("a day before callers that leave are noticed is warned of, also where an environment has its own", () => {
  const wrangler = '[[services]]\nbinding = "USERS"\n';
  const warning = (line: number, date: string) => `wrangler.toml:${line}:1 warning compatibility_date: should be 2026-11-17 or later: before it, calls whose caller has left run on: current value is "${date}"`;
  expect(issuesOf(yaml, { wrangler: `compatibility_date = "2026-11-16"\n${wrangler}` })).toEqual([warning(1, "2026-11-16")]);
  expect(issuesOf(yaml, { wrangler: `compatibility_date = "2026-11-17"\n${wrangler}` })).toEqual([]);
  expect(issuesOf(yaml, { env: "staging", wrangler: `compatibility_date = "2026-11-17"\n[env.staging]\ncompatibility_date = "2025-01-01"\n[[env.staging.services]]\nbinding = "USERS"\n` })).toEqual([warning(3, "2025-01-01")]);
});

describe("a health check", () => {
  const probed = yaml.replace("binding: USERS", "weight: 1").replace("    dialect: SAME", "    dialect: SAME\n    health_check: { service: a.B }");
  const kv = '[[kv_namespaces]]\nbinding = "FAIRLEAD"\n';
  const cron = '[triggers]\ncrons = ["* * * * *"]\n';
  const noKv = (where: string, more = "") => `5:5 clusters.users.health_check: needs [[kv_namespaces]] with binding = "FAIRLEAD" in ${where}, for the health table${more}`;
  const noCron = (where: string, now: string) => `5:5 clusters.users.health_check: needs [triggers] with crons = ["* * * * *"] in ${where}, for the probes: current value is ${now}`;

  it("needs a KV and a cron", () => {
    expect(issuesOf(probed, { wrangler: kv + cron })).toEqual([]);
    expect(issuesOf(probed, { wrangler: 'name = "x"' })).toEqual([noKv("wrangler.toml"), noCron("wrangler.toml", "[]")]);
    expect(issuesOf(probed, { wrangler: kv.replace("FAIRLEAD", "FAIRLAED") + cron.replace("* *", "0 *") })).toEqual([noKv("wrangler.toml", ': did you mean "FAIRLAED"?'), noCron("wrangler.toml", '["0 * * * *"]')]);
  });

  it("finds the cron of the top level in an environment, but not its KV", () => {
    expect(issuesOf(probed, { env: "staging", wrangler: `${kv}${cron}[env.staging]\nname = "x"` })).toEqual([noKv("[env.staging] of wrangler.toml")]);
    expect(issuesOf(probed, { env: "staging", wrangler: `${cron}[[env.staging.kv_namespaces]]\nbinding = "FAIRLEAD"\n[env.staging.triggers]\ncrons = []` })).toEqual([noCron("[env.staging] of wrangler.toml", "[]")]);
  });

  it("that has regions needs the objects that probe there", () => {
    const regional = probed.replace("service: a.B", "service: a.B, regions: [weur, apac-ne]");
    const objects = '[[durable_objects.bindings]]\nname = "FAIRLEAD_PROBER"\nclass_name = "Prober"\n';
    const none = (more = "") => `5:35 clusters.users.health_check.regions: needs [[durable_objects.bindings]] with name = "FAIRLEAD_PROBER" and class_name = "Prober" in wrangler.toml, for the objects that probe there${more}`;
    expect(issuesOf(regional, { wrangler: kv + cron + objects })).toEqual([]);
    expect(issuesOf(regional, { wrangler: kv + cron })).toEqual([none()]);
    expect(issuesOf(regional, { wrangler: kv + cron + objects.replace("PROBER", "PROBERS") })).toEqual([none(': did you mean "FAIRLEAD_PROBERS"?')]);
    expect(issuesOf(regional, { wrangler: kv + cron + objects.replace('"Prober"', '"Sweeper"') })).toHaveLength(1);
    expect(issuesOf(regional.replace("apac-ne", "sam"))).toEqual(['5:51 clusters.users.health_check.regions[1]: must be in list [wnam, enam, weur, eeur, apac, apac-ne, apac-se, oc]: current value is "sam"']);
  });

  it("is not there where nothing is probed", () => expect(issuesOf(probed.replace(/ +health_check.*\n/, ""), { wrangler: 'name = "x"' })).toEqual([]));
});

describe("what is shared", () => {
  const shared = `${withLocalities("[{ region: a, endpoints: [{ url: http://a }] }]").replace("    dialect: SAME", "    dialect: SAME\n    circuit_breaker: { max_requests: 9, shared: true }")}
auth:
  rate_limits: { few: { calls: 9, period: 1s, shared: true } }
  rules: [{ match: { prefix: / }, allow: PUBLIC, rate_limits: [few] }]
environments: { staging: {} }
`;
  const needs = (where: string, now = "") =>
    ["5:49 clusters.users.circuit_breaker.shared", "8:55 auth.rate_limits.few.shared"].map((at) => `${at}: needs [[durable_objects.bindings]] with name = "FAIRLEAD_TALLY" and class_name = "Tally" in ${where}, for the objects that count for all isolates${now}`);
  const bound = '[[durable_objects.bindings]]\nname = "FAIRLEAD_TALLY"\nclass_name = "Tally"\n';

  it("needs the objects that count for all isolates", () => {
    expect(issuesOf(shared, { wrangler: bound })).toEqual([]);
    expect(issuesOf(shared, { wrangler: 'name = "x"' })).toEqual(needs("wrangler.toml"));
    expect(issuesOf(shared, { wrangler: bound.replace("FAIRLEAD_TALLY", "FAIRLEAD_TALY") })).toEqual(needs("wrangler.toml", ': did you mean "FAIRLEAD_TALY"?'));
    expect(issuesOf(shared, { wrangler: bound.replace('"Tally"', '"Sweeper"') })).toEqual(needs("wrangler.toml", ': current value is "Sweeper"'));
  });

  it("finds them in an environment's own part alone", () => {
    expect(issuesOf(shared, { env: "staging", wrangler: `${bound}[env.staging]\nname = "x"` })).toEqual(needs("[env.staging] of wrangler.toml"));
    expect(issuesOf(shared, { env: "staging", wrangler: bound.replace("durable_objects", "env.staging.durable_objects") })).toEqual([]);
  });

  it("must be a limit, and one that nobody else counts", () => {
    expect(issuesOf(shared.replace("max_requests: 9, ", ""), { wrangler: bound })).toEqual(["5:5 clusters.users.circuit_breaker: may be shared only where it has a limit"]);
    expect(issuesOf(shared.replace("period: 1s", "period: 10s, binding: X"), { wrangler: `${bound}[[ratelimits]]\nname = "X"\nsimple = { limit = 9, period = 10 }` })).toEqual(["8:18 auth.rate_limits.few: must have at most one of binding and shared"]);
  });
});

describe("a condition", () => {
  const asked = `${withLocalities("[{ region: a, endpoints: [{ url: http://a }] }]")}
auth:
  providers: { keys: { api_keys: { keys: [{ name: ada, sha256: "${"0".repeat(64)}" }] } } }
  rules: [{ match: { prefix: / }, require: { condition: "subject == 'ada'" } }, { match: { prefix: /a. }, any: [{ scopes: [] }, { condition: "true" }] }]
environments: { staging: {} }
`;
  const needs = (where: string) => ["8:57 auth.rules[0].require.condition", "8:142 auth.rules[1].any[1].condition"].map((at) => `${at}: needs FAIRLEAD_CONDITIONS = "true" under [define] in ${where}: "false" builds a Worker without conditions`);

  it("needs a Worker that is not built without conditions", () => {
    expect(issuesOf(asked, { wrangler: '[define]\nFAIRLEAD_CONDITIONS = "false"' })).toEqual(needs("wrangler.toml"));
    expect(issuesOf(asked, { wrangler: '[define]\nFAIRLEAD_CONDITIONS = "true"' })).toEqual([]);
    expect(issuesOf(asked, { wrangler: 'name = "x"' })).toEqual([]);
  });

  it("goes by an environment's own definitions alone", () => {
    expect(issuesOf(asked, { env: "staging", wrangler: '[define]\nFAIRLEAD_CONDITIONS = "false"\n[env.staging]\nname = "x"' })).toEqual([]);
    expect(issuesOf(asked, { env: "staging", wrangler: '[env.staging.define]\nFAIRLEAD_CONDITIONS = "false"' })).toEqual(needs("[env.staging] of wrangler.toml"));
  });
});

it("a wrangler.toml that is no TOML is refused at its line", () => {
  expect(issuesOf(yaml, { wrangler: 'name = "x"\n[[' })[0]).toMatch(/^wrangler.toml:2:/);
});

it("without a wrangler.toml there is nothing to disagree with", () => {
  expect(issuesOf(yaml)).toEqual([]);
});

describe("an endpoint's client certificate", () => {
  const shown = (endpoint: string) => withLocalities(`[{ region: a, endpoints: [{ ${endpoint}, client_certificate: { certificate: CERT, key: KEY } }] }]`);
  const at = "clusters.users.localities[0].endpoints[0]";

  it("is refused where there is a Worker, which is told what to take in its place", () => {
    expect(issuesOf(shown("url: https://a"), { wrangler: 'name = "x"' })).toEqual([`5:61 ${at}.client_certificate: is for Deno alone, and a Worker with it does not start: take a binding of [[mtls_certificates]] in wrangler.toml in its place`]);
    expect(issuesOf(shown("url: https://a"))).toEqual([]);
  });

  it("needs TLS, no binding beside it, and both names", () => {
    expect(issuesOf(shown("url: http://a"))).toEqual([expect.stringContaining(`${at}: may have client_certificate only with an https URL, and without a binding`)]);
    expect(issuesOf(shown("url: https://a, binding: B"))).toEqual([expect.stringContaining(`${at}: may have client_certificate only with an https URL, and without a binding`)]);
    expect(issuesOf(shown("url: https://a").replace(", key: KEY", ""))).toEqual([expect.stringContaining(`${at}.client_certificate.key: `)]);
  });
});

it("a header that tells of client certificates is anybody's on Cloudflare", () => {
  const yaml = `${withLocalities("[{ region: a, endpoints: [{ url: http://127.0.0.1:1 }] }]")}\nauth: { providers: { front: { client_certificates: { trusted_header: x-forwarded-client-cert } } }, rules: [{ match: { prefix: / }, require: { provider: front } }] }`;
  expect(issuesOf(yaml)).toEqual([]);
  expect(issuesOf(yaml, { wrangler: 'name = "p"\ncompatibility_date = "2026-11-17"' }).join()).toContain("warning auth.providers.front.client_certificates.trusted_header: is anybody's to write on Cloudflare, where wrangler.toml leads");
});
