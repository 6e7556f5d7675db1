import { generateKeyPairSync } from "node:crypto";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { folder, issuesIn, issuesOf, withRoutes } from "./temporary.ts";

const users = withRoutes("{ match: { service: acme.v1.UserService }, cluster: users }");
const forAll = "rules: [{ match: { prefix: / }, allow: PUBLIC }]";
const main = "issuer: https://id.example, audiences: [api], algorithms: [RS256]";
const unasked = "nothing asks for this provider";
/** What is said of a config with this auth, but for providers that no rule names. */
const messages = (auth: string, more = ""): string[] => issuesOf(`${users}\nauth: { ${auth} }\n${more}`).map((issue) => issue.replace(/^\d+:\d+ /, "")).filter((issue) => !issue.endsWith(unasked));
const withProvider = (provider: string, more = ""): string[] => messages(`providers: { main: { ${provider} } }, ${forAll}`, more);
const asking = (require: string, providers = `main: { ${main}, jwks_uri: https://id.example/keys }`): string[] =>
  messages(`providers: { ${providers} }, rules: [{ match: { prefix: / }, require: { ${require} } }]`);

it("a config that does not say who may call what is refused, and told what to write", () => {
  const directory = folder({ "fairlead.yaml": users });
  expect(issuesIn(join(directory, "fairlead.yaml"))).toEqual(["1:1 auth: must say who may call what: `auth: {rules: [{match: {prefix: /}, allow: PUBLIC}]}` lets everybody call everything"]);
});

describe("a provider of tokens", () => {
  it.each([
    ["without audiences and algorithms", "issuer: https://id.example, jwks_uri: https://id.example/keys", "auth.providers.main: a token's issuer must have audiences, algorithms, and exactly one of jwks_uri, jwks and discovery"],
    ["with keys from two places", `${main}, jwks_uri: https://id.example/keys, discovery: true`, "auth.providers.main: a token's issuer must have audiences, algorithms, and exactly one of jwks_uri, jwks and discovery"],
    ["that is of no kind", "strip: true", "auth.providers.main: must have exactly one of issuer, api_keys and client_certificates"],
    ["with keys over http", `${main}, jwks_uri: http://id.example/keys`, 'auth.providers.main.jwks_uri: must be an https URL, or an http one of a loopback address, without user info and fragment: current value is "http://id.example/keys"'],
    ["with a password in its URL", `${main}, jwks_uri: "https://a:b@id.example/keys"`, "auth.providers.main.jwks_uri: must be an https URL"],
    ["with a fragment in its URL", `${main}, jwks_uri: "https://id.example/keys#a"`, "auth.providers.main.jwks_uri: must be an https URL"],
    ["with discovery, whose issuer is no URL", "issuer: id, audiences: [api], algorithms: [RS256], discovery: true", "auth.providers.main.issuer: with discovery must be an https URL"],
    ["with an algorithm that is none", "issuer: a, audiences: [api], algorithms: [none], discovery: true", 'auth.providers.main.algorithms[0]: must be one of RS256, RS384'],
    ["with a symmetric algorithm", "issuer: a, audiences: [api], algorithms: [HS256], discovery: true", 'current value is "HS256", did you mean RS256?'],
    ["with more skew than a minute", `${main}, discovery: true, clock_skew: 61s`, "auth.providers.main.clock_skew: "],
    ["in a header that HTTP owns", `${main}, discovery: true, token: { header: connection }`, 'auth.providers.main.token.header: must be a header that callers may set: current value is "connection"'],
    ["in the header of cookies", `${main}, discovery: true, token: { header: cookie }`, "a token in a cookie has token: {cookie: NAME}"],
  ])("%s is refused", (_, provider, issue) => expect(withProvider(provider).join("\n")).toContain(issue));

  it("may have its keys on this machine", () => {
    for (const url of ["http://127.0.0.1:1/keys", "http://localhost/keys", '"http://[::1]:8080/keys"']) expect(withProvider(`${main}, jwks_uri: ${url}`)).toEqual([]);
  });

  it("must not be mistaken for another", () => {
    const one = `{ ${main}, discovery: true }`;
    expect(messages(`providers: { a: ${one}, b: ${one} }, ${forAll}`)).toEqual(['auth.providers.b.issuer: must differ from that of "a", which stands in the same place and has an audience in common: whose a token is could not be told']);
    expect(messages(`providers: { a: ${one}, b: ${one.replace("[api]", "[web]")} }, ${forAll}`)).toEqual([]);
    expect(messages(`providers: { a: ${one}, b: ${one.replace(" }", ", token: { header: x-token } }")} }, ${forAll}`)).toEqual([]);
  });

  it("in a cookie needs pages that are named", () => {
    const cookie = `${main}, discovery: true, token: { cookie: session }`;
    expect(withProvider(cookie, "cors: { allowed_origins: [https://app.example], allow_credentials: true }")).toEqual([]);
    expect(withProvider(cookie, 'cors: { allowed_origins: ["*"] }')).toEqual(['auth.providers.main.token.cookie: needs cors.allowed_origins to name the pages that may call with it: current value is "*"']);
    expect(withProvider(cookie)).toEqual(["warning auth.providers.main.token.cookie: is taken from pages of the proxy's own origin alone: cors.allowed_origins names none"]);
    expect(withProvider(cookie, "cors: { allowed_origins: [https://app.example] }")).toEqual(["warning auth.providers.main.token.cookie: browsers do not send it from the pages of cors.allowed_origins: cors.allow_credentials is not true"]);
    expect(withProvider(cookie, "cors: { allowed_origins: [https://app.example, http://app.example, http://localhost:5173], allow_credentials: true }")).toEqual(["warning auth.providers.main.token.cookie: whoever is between a caller and a page that comes without TLS calls as that caller: cors.allowed_origins has http://app.example"]);
  });
});

describe("inline keys", () => {
  const pair = (crv: string) => generateKeyPairSync("ec", { namedCurve: crv });
  const jwk = pair("P-256").publicKey.export({ format: "jwk" });
  const rsa = (bits: number) => generateKeyPairSync("rsa", { modulusLength: bits }).publicKey.export({ format: "jwk" });
  const inline = (algorithms: string, ...keys: object[]): string[] => withProvider(`issuer: a, audiences: [b], algorithms: [${algorithms}], jwks: '${JSON.stringify({ keys })}'`);
  const none = (algorithm: string) => [`auth.providers.main.jwks: must hold a key for one of the algorithms, ${algorithm}: a public signature key, of 2048 bits at least if it is RSA`];

  it("of the algorithms are good, in whatever company", () => {
    expect(inline("ES256", jwk)).toEqual([]);
    expect(inline("ES384, ES256", { ...jwk, kid: "a", alg: "ES256", use: "sig", key_ops: ["verify"] }, { kty: "odd", kid: "b" })).toEqual([]);
    expect(inline("RS256", rsa(2048))).toEqual([]);
  });

  it("that fit none of the algorithms are refused", () => {
    expect(inline("ES384", jwk)).toEqual(none("ES384"));
    expect(inline("ES256", { ...jwk, use: "enc" })).toEqual(none("ES256"));
    expect(inline("ES256", { ...jwk, key_ops: ["sign"] })).toEqual(none("ES256"));
    expect(inline("PS256", { ...rsa(2048), alg: "RS256" })).toEqual(none("PS256"));
    expect(inline("RS256", rsa(1024))).toEqual(none("RS256"));
    expect(inline("RS256")).toEqual(none("RS256"));
    expect(inline("ES256", { ...jwk, x: "AAAA" })).toEqual(none("ES256"));
    expect(inline("EDDSA", { kty: "OKP", crv: "Ed448", x: "A".repeat(76) })).toEqual(none("EdDSA"));
    expect(inline("RS256", { ...rsa(2048), e: "AQ" })).toEqual(none("RS256"));
    expect(withProvider(`issuer: a, audiences: [b], algorithms: [ES256], jwks: '${JSON.stringify({ keys: [jwk] }).replace("{\"keys\"", "{\"keys\":[],\"keys\"")}'`)).toEqual(["auth.providers.main.jwks: must name each member of an object once: readers differ in which of two they believe"]);
  });

  it("that must not be known are refused", () => {
    expect(inline("ES256", pair("P-256").privateKey.export({ format: "jwk" }))).toEqual([expect.stringContaining("keys[0] is a private one: whoever reads this file could sign with it. Withdraw it")]);
    expect(inline("ES256", jwk, { kty: "oct", k: "AAAA" })).toEqual([expect.stringContaining("keys[1] is symmetric: whoever knows it can sign with it")]);
  });

  it("with one name for two, or of no set, are refused", () => {
    expect(inline("ES256", { ...jwk, kid: "a" }, { ...jwk, kid: "a" })).toEqual(['auth.providers.main.jwks: must give each key a kid of its own: keys[0] and keys[1] have "a"']);
    for (const text of ["{}", "[]", "no JSON", '{"keys":{}}', '{"keys":[1]}']) expect(withProvider(`issuer: a, audiences: [b], algorithms: [ES256], jwks: '${text}'`)).toEqual(['auth.providers.main.jwks: must be a JSON Web Key Set: {"keys":[…]}']);
  });
});

describe("keys and certificates", () => {
  const key = (sha: string) => `{ name: a, sha256: ${sha.repeat(64)} }`;
  it("that stand for two are refused", () => {
    expect(withProvider(`api_keys: { keys: [${key("a")}, ${key("b")}, ${key("a")}] }`)).toEqual(["auth.providers.main.api_keys.keys[2].sha256: must stand for one: main.api_keys.keys[0] has the same key"]);
    expect(withProvider('client_certificates: { allowed: [{ name: a, subject: "CN=a" }, { name: b, subject: "CN=a" }] }')).toEqual(["auth.providers.main.client_certificates.allowed[1].subject: must stand for one: allowed[0] has it too"]);
  });
  it("that nobody has are refused", () => expect(withProvider("api_keys: {}")).toEqual(["auth.providers.main.api_keys: must have keys, or stored: true: nobody could show one"]));
  it("have no use for what belongs to tokens", () => expect(withProvider("api_keys: { stored: true }, audiences: [a]")).toEqual(["auth.providers.main.audiences: is only for tokens: this provider has no issuer"]));
  it("are never passed on, so that nothing is to be stripped", () => expect(withProvider("api_keys: { stored: true }, strip: true")).toEqual(["auth.providers.main.strip: is only for tokens: this provider has no issuer"]));
  it("cannot be shown where tokens are", () => expect(withProvider("api_keys: { stored: true, header: authorization }")).toEqual(['auth.providers.main.api_keys.header: must be a header of its own, which callers may set: current value is "authorization"']));
});

describe("what a rule asks", () => {
  const two = `main: { ${main}, discovery: true }, keys: { api_keys: { stored: true } }`;
  it.each<[string, [string, string?], string]>([
    ["a provider that is not there", ["provider: mai"], 'auth.rules[0].require.provider: unknown provider "mai": did you mean "main"?'],
    ["no provider where there are several", ["scopes: [a]", two], "auth.rules[0].require: must name its provider, as there are several: keys, main"],
    ["a provider where there is none", ["scopes: [a]", ""], "auth.rules[0].require: needs a provider that vouches for callers: auth.providers has none"],
    ["two scopes in one", ['scopes: ["a b"]'], 'auth.rules[0].require.scopes[0]: must be one scope, without blanks: current value is "a b"'],
    ["a claim of no name", ["claims: { a..b: { values: [c] } }"], 'auth.rules[0].require.claims["a..b"]: must be a claim\'s name, with dots between names inside one another: current value is "a..b"'],
    ["a condition that is no CEL", ["condition: 'claims.a =='"], "auth.rules[0].require.condition: must be a CEL expression: line 1, column 10: found = but expecting end of input"],
    ["a condition that names nothing", ["condition: claim.a == 1"], 'auth.rules[0].require.condition: must name nothing but claims, scopes, subject, provider, metadata, method: current value names "claim": did you mean "claims"?'],
    ["a condition that calls nothing", ["condition: subject.startWith('a')"], 'auth.rules[0].require.condition: must call functions of CEL: there is no startWith: did you mean "startsWith"?'],
    ["a condition with a broken pattern", ["condition: subject.matches('(a')"], "auth.rules[0].require.condition: must have patterns in RE2's syntax: https://github.com/google/re2/wiki/Syntax"],
    ["a condition on a header that is never there", ["condition: \"!('x-forwarded-for' in metadata)\""], "auth.rules[0].require.condition: must name headers that callers may set: HTTP, the RPC protocols or the proxy own x-forwarded-for, and take it out first"],
    ["a condition on a header in upper case", ["condition: \"metadata['X-Suspended'] != 'a'\""], 'auth.rules[0].require.condition: must name headers in lower case, as metadata has them: current value names "X-Suspended"'],
    ["a condition on a token that does not go on", ["condition: '!has(metadata.authorization)'", `main: { ${main}, discovery: true, strip: true }`], "auth.rules[0].require.condition: must be a header that callers may set: authorization is where tokens are that do not go on, and taken out first"],
    ["a condition that is a text", ["condition: subject"], "auth.rules[0].require.condition: must be true or false for a call: this is of another type"],
    ["a condition that is a number", ["condition: size(scopes)"], "auth.rules[0].require.condition: must be true or false for a call: this is of another type"],
    ["a condition one side of which is a text", ["condition: claims.admin || subject"], "auth.rules[0].require.condition: must be true or false for a call: this is of another type"],
  ])("is refused: %s", (_, [require, providers], issue) => expect(asking(require, providers)).toEqual([issue]));

  it.each(["claims.tenant == metadata['x-tenant']", "claims.admin", "scopes.exists(s, s.startsWith('users.'))", "has(claims.org) && claims.org.level >= 3", "subject.matches('^[a-z]+$') && subject.matches(claims.pattern)", "method.endsWith('/Get') ? true : subject in ['a', 'b']", "type(claims.a) == string"])("may be %s", (condition) =>
    expect(asking(`condition: "${condition}"`)).toEqual([]),
  );
});

describe("rules", () => {
  it("that are never looked at, or name what is not there, are refused", () => {
    expect(messages("rules: [{ match: { prefix: / }, allow: PUBLIC }, { match: { prefix: / }, allow: PUBLIC }]")).toEqual(["auth.rules[1].match: must differ from that of rules[0] (line 6)"]);
    expect(messages("rules: [{ match: { service: acme.v1.UserService }, allow: PUBLIC }, { match: { prefix: /acme.v1.UserService/G }, allow: PUBLIC }]")).toEqual(["auth.rules[1].match: is never looked at: all it matches is for rules[0] (line 6)"]);
    expect(messages("rules: [{ match: { prefix: / }, allow: PUBLIC }, { match: { prefix: /api/v1/x }, allow: PUBLIC }]")).toEqual([expect.stringContaining("auth.rules[1].match.prefix: must begin a /package.Service/Method")]);
    expect(messages("rules: [{ match: { prefix: / }, allow: PUBLIC, authorizer: a, rate_limits: [b] }]")).toEqual(['auth.rules[0].authorizer: unknown authorizer "a": there is none', 'auth.rules[0].rate_limits[0]: unknown rate limit "b": there is none']);
  });

  it("that match no known method are told, with what was meant", () => {
    expect(messages("rules: [{ match: { prefix: / }, allow: PUBLIC }, { match: { method: /acme.v1.UserService/Gat }, allow: PUBLIC }]")).toEqual(['warning auth.rules[1].match.method: no known method is matched: did you mean "/acme.v1.UserService/Get"?']);
  });

  it("that leave a route's methods to nobody are told", () => {
    const three = "/acme.v1.UserService/Chat, /acme.v1.UserService/Import, /acme.v1.UserService/Watch";
    expect(messages("rules: [{ match: { method: /acme.v1.UserService/Get }, allow: PUBLIC }]")).toEqual([`warning routes[0].match: ${three} are refused: nothing in auth or the schema says who may call`]);
    expect(messages("")).toEqual([expect.stringContaining("are refused: nothing in auth or the schema says who may call")]);
    expect(issuesOf(`${users.replace("descriptors: [users.binpb]", "")}\nauth: {}`)).toEqual(["5:7 warning routes[0].match: whatever it matches is refused: nothing in auth or the schema says who may call"]);
  });
});

it("providers that nothing asks for are told", () => {
  const providers = `providers: { a: { ${main}, discovery: true }, b: { api_keys: { stored: true } } }`;
  expect(issuesOf(`${users}\nauth: { ${providers}, rules: [{ match: { prefix: / }, require: { provider: a } }] }`)).toEqual([expect.stringContaining(`warning auth.providers.b: ${unasked}`)]);
  expect(issuesOf(`${users}\nauth: { ${providers}, rules: [{ match: { prefix: / }, any: [{ provider: a }, { provider: b }] }] }`)).toEqual([]);
});

describe("headers", () => {
  const identity = (text: string, more = ""): string[] => messages(`providers: { keys: { api_keys: { stored: true } } }, identity: { ${text} }, ${forAll}`, more);
  it("of identity that others own are refused", () => {
    expect(identity("claims_header: authorization")).toEqual(["auth.identity.claims_header: must not be authorization: the token itself stands there"]);
    expect(identity("claim_headers: { connection: sub }")).toEqual(["auth.identity.claim_headers.connection: must not be connection: HTTP, the RPC protocols or the proxy own it"]);
    expect(identity("claim_headers: { x-forwarded-user: sub }")).toEqual([expect.stringContaining("must not be x-forwarded-user")]);
  });
  it("that two claim are refused", () => {
    expect(identity("claims_header: x-api-key")).toEqual(['auth.identity.claims_header: must be a header of its own: x-api-key is where provider "keys" looks already']);
    expect(identity("claims_header: x-user, claim_headers: { x-user: sub }")).toEqual(["auth.identity.claim_headers.x-user: must be a header of its own: x-user is auth.identity.claims_header already"]);
    expect(identity("claims_header: x-lat", "place_headers: { latitude: x-lat, longitude: x-lon }")).toEqual([expect.stringContaining("x-lat is a place header already")]);
  });
  it("of identity are not a route's to write", () => {
    const yaml = `${withRoutes("{ match: { prefix: / }, cluster: users, request_headers: { set: { x-user: root } } }")}\nauth: { identity: { claims_header: x-user }, ${forAll} }`;
    expect(issuesOf(yaml)).toEqual(["5:71 routes[0].request_headers.set.x-user: must not name x-user: auth.identity says who calls in it"]);
    expect(issuesOf(yaml.replace("set: { x-user: root }", "remove: [x-user]")).join()).toContain("routes[0].request_headers.remove[0]: must not name x-user: auth.identity says who calls in it");
    const minted = yaml.replace("{ x-user: root }", "{ authorization: secret }").replace("claims_header: x-user", "mint: { issuer: https://proxy.example, secret: MINT_KEY }");
    expect(issuesOf(minted).join()).toContain("routes[0].request_headers.set.authorization: must not name authorization: auth.identity.mint puts its token there");
  });
  it("that are taken out first cannot route a call, but identity can hold it", () => {
    const looking = (route: string) => issuesOf(`${withRoutes(`{ match: { service: acme.v1.UserService }, cluster: users, ${route} }`)}\nauth: { providers: { keys: { api_keys: { stored: true } } }, identity: { claims_header: x-claims }, rules: [{ match: { prefix: / }, require: { provider: keys } }] }`);
    const routed = (name: string) => issuesOf(`${withRoutes(`{ match: { service: acme.v1.UserService, metadata: [{ name: ${name}, present: true }] }, cluster: users }`)}\nauth: { providers: { keys: { api_keys: { stored: true } } }, identity: { claims_header: x-claims }, rules: [{ match: { prefix: / }, require: { provider: keys } }] }`);
    expect(routed("x-claims")).toEqual([expect.stringContaining("routes[0].match.metadata[0].name: must be a header that callers may set: x-claims is auth.identity.claims_header, and taken out first")]);
    expect(routed("x-api-key")).toEqual([expect.stringContaining('x-api-key is where provider "keys" looks, and taken out first')]);
    expect(looking("sticky: { header: x-api-key, endpoint: true }")).toEqual([expect.stringContaining("routes[0].sticky.header: must be a header that callers may set")]);
    expect(looking("sticky: { header: x-claims, endpoint: true }")).toEqual([]);
    const asking = `authorizers: { a: { cluster: users, metadata: [x-api-key] } }, rules: [{ match: { prefix: / }, require: { provider: keys }, authorizer: a }]`;
    expect(messages(`providers: { keys: { api_keys: { stored: true } } }, ${asking}`)).toEqual([expect.stringContaining("auth.authorizers.a.metadata[0]: must be a header that callers may set")]);
  });
  it("may be looked at by several providers of a kind, and by none of another", () => {
    expect(messages(`providers: { a: { api_keys: { stored: true } }, b: { api_keys: { stored: true } } }, ${forAll}`)).toEqual([]);
    expect(messages(`providers: { a: { api_keys: { stored: true } }, b: { ${main}, discovery: true, token: { header: x-api-key } } }, ${forAll}`)).toEqual(['auth.providers.b.token.header: must be a header of its own: x-api-key is where provider "a" looks already']);
    expect(withProvider("client_certificates: { trusted_header: content-type }")).toEqual(['auth.providers.main.client_certificates.trusted_header: must be a header that the front alone writes: current value is "content-type"']);
    expect(withProvider("client_certificates: { trusted_header: x-forwarded-client-cert }")).toEqual([]);
  });
  it("that an authorizer sets are the proxy's, and may be shared by two of them", () => {
    const setting = (headers: string, more = "") => messages(`authorizers: { a: { cluster: users, headers: [${headers}] }, b: { cluster: users, headers: [${headers}] } }, identity: { claim_headers: { x-user: sub } }, rules: [{ match: { prefix: / }, allow: PUBLIC, authorizer: a }, { match: { service: acme.v1.UserService }, allow: PUBLIC, authorizer: b }]`, more);
    expect(setting("x-tenant")).toEqual([]);
    expect(setting("x-user")).toEqual(["auth.authorizers.a.headers[0]: must be a header of its own: x-user is in auth.identity.claim_headers already"]);
    expect(setting("connection")).toEqual(["auth.authorizers.a.headers[0]: must not be connection: HTTP, the RPC protocols or the proxy own it"]);
  });
  it("of tokens that do not go on cannot route a call", () => {
    const routed = (rest: string) => issuesOf(`${withRoutes("{ match: { service: acme.v1.UserService, metadata: [{ name: x-token, present: false }] }, cluster: users }")}\nauth: { providers: { a: { ${main}, discovery: true, token: { header: x-token }${rest} } }, rules: [{ match: { prefix: / }, require: {} }] }`);
    expect(routed("")).toEqual([]);
    expect(routed(", strip: true")).toEqual([expect.stringContaining('routes[0].match.metadata[0].name: must be a header that callers may set: x-token is where provider "a" looks, and taken out first')]);
  });
  it("of a minted token are the proxy's", () => expect(identity("mint: { issuer: edge, secret: KEY, claims: [aud] }")).toEqual([expect.stringContaining("auth.identity.mint.claims[0]: must not be one of iss, sub, aud")]));
});

it("an origin that hears of subjects without whose they are is told of", () => {
  const told = (more: string) => messages(`providers: { a: { ${main}, discovery: true }, b: { api_keys: { stored: true } } }, identity: { claim_headers: { x-user: sub }${more} }, rules: [{ match: { prefix: / }, any: [{ provider: a }, { provider: b }] }]`);
  expect(told("")).toEqual(["warning auth.identity.claim_headers.x-user: does not tell whose subject it is, and rules[0] admits those of a, b: provider_header or mint tells"]);
  expect(told(", provider_header: x-vouched")).toEqual([]);
});

describe("authorizers and rate limits", () => {
  it("that cannot work are refused", () => {
    const rules = "rules: [{ match: { prefix: / }, allow: PUBLIC, authorizer: a }]";
    expect(messages(`authorizers: { a: { cluster: user } }, ${rules}`)).toEqual(['auth.authorizers.a.cluster: unknown cluster "user": did you mean "users"?']);
    expect(messages(`authorizers: { a: { cluster: users, metadata: [host] } }, ${rules}`)).toEqual([expect.stringContaining("auth.authorizers.a.metadata[0]: must be a header that callers may set")]);
    expect(issuesOf(`${users.replace("SAME", "GRPC_WEB")}\nauth: { authorizers: { a: { cluster: users } }, ${rules} }`)).toEqual(['6:38 auth.authorizers.a.cluster: must be a cluster that speaks Connect: "users" speaks GRPC_WEB']);
  });
  it("that no rule names are told", () => {
    expect(messages(`authorizers: { a: { cluster: users } }, rate_limits: { b: { calls: 1, period: 1s } }, ${forAll}`)).toEqual(["warning auth.authorizers.a: no rule names this authorizer", "warning auth.rate_limits.b: no rule names this rate limit"]);
  });
});
