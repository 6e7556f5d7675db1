import { createHash } from "node:crypto";
import { decodeJwt, importJWK, jwtVerify } from "jose";
import { beforeAll, describe, expect, it } from "vitest";
import { issuerName, type SigningKey, signingKey, token } from "./issuer.ts";
import { world } from "../health/world.ts";
import { testTally, type Way } from "../proxy/tally.ts";
import { guarded } from "./world.ts";

let key: SigningKey;
let main: string;
beforeAll(async () => {
  key = await signingKey("a");
  main = `main: { issuer: "${issuerName}", audiences: [api], algorithms: [RS256], jwks: '${JSON.stringify({ keys: [key.publicJwk] })}' }`;
});
const bearer = async (now: number, claims: Record<string, unknown> = {}) => ({ authorization: `Bearer ${await token(key, now, { claims })}` });

describe("a method", () => {
  it("that nobody named is refused, as somebody or as nobody", async () => {
    const { call, ports, reached } = await guarded({ auth: `{ providers: { ${main} }, rules: [{ match: { method: /t.S/Get }, allow: PUBLIC }] }` });
    expect((await call()).code).toBe("unauthenticated");
    expect((await call(await bearer(ports.now()))).code).toBe("permission_denied");
    expect((await call({ authorization: "Bearer x" })).code).toBe("unauthenticated");
    expect(reached).toHaveLength(0);
    expect((await call({}, { method: "Get" })).code).toBe("ok");
  });

  it("that is open to everybody does not look at tokens, and hears nothing of who calls", async () => {
    const { call } = await guarded({ auth: `{ providers: { ${main} }, identity: { claims_header: x-claims, claim_headers: { x-who: sub } }, rules: [{ match: { prefix: / }, allow: PUBLIC }] }` });
    const { code, sent, headers } = await call({ authorization: "Bearer nonsense", "x-who": "root", "x-claims": "e30" });
    expect([code, sent!.get("authorization"), sent!.get("x-who"), sent!.get("x-claims"), headers.get("cache-control")]).toEqual(["ok", "Bearer nonsense", null, null, "public, max-age=60"]);
  });

  it.each([
    [{ scope: "a b c" }, "ok"],
    [{ scope: ["a", "b"] }, "ok"],
    [{ scp: "b a" }, "ok"],
    [{ scope: "a" }, "permission_denied"],
    [{ scope: "ab b" }, "permission_denied"],
    [{ scope: "a,b" }, "permission_denied"],
    [{ scope: { a: 1, b: 1 } }, "permission_denied"],
    [{}, "permission_denied"],
  ])("that wants the scopes a and b tells a caller with %o %s", async (claims, code) => {
    const { call, ports } = await guarded({ auth: `{ providers: { ${main} }, rules: [{ match: { prefix: / }, require: { scopes: [a, b] } }] }` });
    const outcome = await call(await bearer(ports.now(), claims));
    expect([outcome.code, outcome.headers.get("www-authenticate")]).toEqual([code, code === "ok" ? null : 'Bearer error="insufficient_scope"']);
  });

  it.each([
    [{ org: { id: 7 } }, "ok"],
    [{ org: { id: ["6", "7"] } }, "ok"],
    [{ org: { id: "8" } }, "permission_denied"],
    [{ "org.id": "7" }, "permission_denied"],
    [JSON.parse('{"org":{"__proto__":{"id":"7"}}}') as object, "permission_denied"],
    [JSON.parse('{"__proto__":{"org":{"id":"7"}}}') as object, "permission_denied"],
    [{ org: [{ id: "7" }] }, "permission_denied"],
  ])("that wants a claim inside another tells a caller with %o %s", async (claims, code) => {
    const { call, ports } = await guarded({ auth: `{ providers: { ${main} }, rules: [{ match: { prefix: / }, require: { claims: { org.id: { values: ["7"] } } } }] }` });
    expect((await call(await bearer(ports.now(), claims as Record<string, unknown>))).code).toBe(code);
  });

  it.each([
    ["claims.tenant == metadata['x-tenant'] && method == '/t.S/Unary'", "ok"],
    ["subject == 'ada' && provider == 'main' && 'a' in scopes", "ok"],
    ["claims.level >= 3", "ok"],
    ["claims.nothing == 1", "permission_denied"],
    ["claims.tenant == 'u'", "permission_denied"],
    ["claims.level + 'x' == 'x'", "permission_denied"],
  ])("on the condition %s is told %s", async (condition, code) => {
    const { call, ports } = await guarded({ auth: `{ providers: { ${main} }, rules: [{ match: { prefix: / }, require: { condition: "${condition}" } }] }` });
    expect((await call({ "x-tenant": "t", ...(await bearer(ports.now(), { tenant: "t", level: 3, scope: "a" })) })).code).toBe(code);
  });

  it("is not cached for others, and a refusal is not cached at all", async () => {
    const { call, ports } = await guarded({ auth: `{ providers: { ${main} }, rules: [{ match: { prefix: / }, require: {} }] }` });
    const good = await call(await bearer(ports.now()), { method: "Get", get: true });
    expect([good.headers.get("cache-control"), good.headers.get("vary")]).toEqual(["private, max-age=60", "authorization, Origin"]);
    const bad = await call({}, { method: "Get", get: true });
    expect([bad.status, bad.headers.get("cache-control"), bad.headers.get("www-authenticate")]).toEqual([401, "no-store", "Bearer"]);
  });

  it.each([
    ["no-store", "private, no-store"],
    ['x="a, private, b", public, s-maxage=600', 'private, x="a, private, b"'],
    ['private="set-cookie", max-age=5', "private, max-age=5"],
    ['public, x="', "private, no-store"],
  ])("whose origin says cache-control: %s is not cached for others", async (said, told) => {
    const shared = { "cdn-cache-control": "max-age=60", "cloudflare-cdn-cache-control": "max-age=60", "surrogate-control": "max-age=60", expires: "Thu, 01 Jan 2099 00:00:00 GMT" };
    const { call, ports } = await guarded({
      auth: `{ providers: { ${main} }, rules: [{ match: { prefix: / }, require: {} }] }`,
      others: { "origin.example": () => ({ headers: { "cache-control": said, ...shared } }) },
    });
    const { headers } = await call(await bearer(ports.now()), { method: "Get", get: true });
    expect([headers.get("cache-control"), ...Object.keys(shared).map((name) => headers.get(name))]).toEqual([told, null, null, null, null]);
  });

  it("whose origin fails has an answer that is not cached for others, either", async () => {
    const { call, ports } = await guarded({
      auth: `{ providers: { ${main} }, rules: [{ match: { prefix: / }, require: {} }] }`,
      others: { "origin.example": () => ({ status: 404, type: "text/html", body: "not here" }) },
    });
    const { code, headers } = await call(await bearer(ports.now()), { method: "Get", get: true });
    expect([code, headers.get("cache-control")]).toEqual(["unimplemented", "private"]);
  });

  it("refuses a token that was good at its last call, once it has expired", async () => {
    const { call, ports } = await guarded({ auth: `{ providers: { ${main} }, rules: [{ match: { prefix: / }, require: {} }] }` });
    const short = await bearer(ports.now(), { exp: ports.now() / 1000 + 60 });
    expect((await call(short)).code).toBe("ok");
    await ports.pass(89_999);
    expect((await call(short)).code).toBe("ok");
    await ports.pass(1);
    expect((await call(short)).code).toBe("unauthenticated");
  });

  it("explains to whoever may ask why it is refused, and the caller and the log hear nothing of the token", async () => {
    const { call, ports } = await guarded({ auth: `{ providers: { ${main} }, rules: [{ match: { prefix: / }, require: { scopes: [a] } }] }`, top: "explain: { anybody: true }" });
    const shown = await bearer(ports.now());
    const { headers, error } = await call({ "fairlead-explain": "1", ...shown });
    expect(headers.get("fairlead-explanation")).toContain("by auth.rules[0] it may not pass: the caller meets none of the requirements: it lacks the scope a");
    expect(error.message).toBe("the caller may not do this");
    expect(JSON.stringify(ports.logged)).not.toContain(shown.authorization.slice(-40));
    expect(ports.logged).toContainEqual(expect.objectContaining({ event: "refused", code: "permission_denied", policy: "auth.rules[0]" }));
  });
});

describe("an origin", () => {
  it("is told claims that fit into headers, whatever the caller says itself", async () => {
    const { call, ports } = await guarded({ auth: `{ providers: { ${main} }, identity: { claims_header: x-claims, claim_headers: { x-who: sub, x-org: org.id, x-name: name, x-admin: admin } }, rules: [{ match: { prefix: / }, require: {} }] }` });
    const { sent } = await call({ ...(await bearer(ports.now(), { org: { id: 7 }, name: "Ada\r\nx-admin: yes" })), "X-Who": "root", "x-admin": "yes", "x-name": "root", connection: "x-who" });
    expect(["x-who", "x-org", "x-name", "x-admin"].map((name) => sent!.get(name))).toEqual(["ada", "7", null, null]);
    expect(JSON.parse(Buffer.from(sent!.get("x-claims")!, "base64url").toString())).toMatchObject({ iss: issuerName, sub: "ada" });
    expect(ports.logged).toContainEqual(expect.objectContaining({ event: "claim-left-out", headers: ["x-name"] }));
  });

  it("gets a token of the proxy's own in the place of the caller's, which its public key verifies", async () => {
    const own = await signingKey("own", "ES256");
    const { call, get, ports } = await guarded({
      auth: `{ providers: { ${main} }, identity: { mint: { issuer: "https://edge.example", secret: KEY, claims: [tenant] } }, rules: [{ match: { prefix: / }, require: {} }] }`,
      ports: { secret: (name) => (name === "KEY" ? JSON.stringify(own.privateJwk) : undefined) },
    });
    const claims = await bearer(ports.now(), { tenant: "t" });
    const first = (await call(claims)).sent!.get("authorization")!;
    expect((await call(claims)).sent!.get("authorization")).toBe(first);
    const { keys } = (await (await get("/.well-known/jwks.json")).json()) as { keys: Record<string, string>[] };
    expect(Object.keys(keys[0]!).sort()).toEqual(["alg", "crv", "kid", "kty", "use", "x", "y"]);
    const { payload } = await jwtVerify(first.slice(7), await importJWK(keys[0]!), { issuer: "https://edge.example", audience: "c", currentDate: new Date(ports.now()) });
    expect(payload).toMatchObject({ sub: "ada", tenant: "t", provider: "main", iat: ports.now() / 1000, exp: ports.now() / 1000 + 60 });
    await ports.pass(30_000);
    expect(decodeJwt((await call(claims)).sent!.get("authorization")!.slice(7)).exp).toBe(ports.now() / 1000 + 60);
  });

  it.each([["nothing", undefined], ["no key", "x"], ["a key without a name", '{"kty":"oct","k":"AAAA","alg":"HS256"}']])("is not called where a token is wanted and the secret holds %s", async (_what, secret) => {
    const { call, get, ports, reached } = await guarded({ auth: `{ providers: { ${main} }, identity: { mint: { issuer: i, secret: KEY } }, rules: [{ match: { prefix: / }, require: {} }] }`, ports: { secret: () => secret } });
    expect((await call(await bearer(ports.now()))).code).toBe("internal");
    expect(reached).toHaveLength(0);
    expect((await get("/.well-known/jwks.json")).status).toBe(503);
    expect(ports.logged).toContainEqual(expect.objectContaining({ event: "mint-unusable" }));
  });
});

describe("a rate limit", () => {
  const config = (per: string, rule = "require: {}") => `{ providers: { ${main} }, rate_limits: { few: { per: ${per}, calls: 2, period: 10s } }, rules: [{ match: { prefix: / }, ${rule}, rate_limits: [few] }] }`;

  it("counts for each principal, and tells when to come again", async () => {
    const { call, ports } = await guarded({ auth: config("PRINCIPAL") });
    const [ada, eve] = [await bearer(ports.now()), await bearer(ports.now(), { sub: "eve" })];
    expect([(await call(ada)).code, (await call(ada)).code, (await call(eve)).code]).toEqual(["ok", "ok", "ok"]);
    const refused = await call(ada);
    expect([refused.code, refused.status, refused.headers.get("retry-after"), refused.error.details?.[0]?.type]).toEqual(["resource_exhausted", 429, "5", "google.rpc.RetryInfo"]);
    await ports.pass(5000);
    expect([(await call(ada)).code, (await call(ada)).code]).toEqual(["ok", "resource_exhausted"]);
  });

  it("for each address bounds guesses, too", async () => {
    const { call } = await guarded({ auth: config("ADDRESS") });
    const guess = { authorization: "Bearer x" };
    expect([(await call(guess)).code, (await call(guess)).code, (await call(guess)).code]).toEqual(["unauthenticated", "unauthenticated", "resource_exhausted"]);
    expect((await call(guess, { facts: { clientAddress: () => "192.0.2.2" } })).code).toBe("unauthenticated");
  });

  it("of a method is not used up by those who may not call it", async () => {
    const { call, ports } = await guarded({ auth: config("METHOD") });
    for (let i = 0; i < 5; i++) await call();
    expect((await call(await bearer(ports.now()))).code).toBe("ok");
  });

  it("is counted by the platform where it has a limiter of that name", async () => {
    const keys: string[] = [];
    const limiter = (name: string) => (name === "LIMIT" ? { limit: async ({ key }: { key: string }) => ({ success: keys.push(key) < 2 }) } : undefined);
    const { call } = await guarded({ auth: config("ADDRESS", "allow: PUBLIC").replace("period: 10s", "period: 10s, binding: LIMIT"), ports: { limiter } });
    expect([(await call()).code, (await call()).code]).toEqual(["ok", "resource_exhausted"]);
    expect(keys).toEqual(["few address 192.0.2.1", "few address 192.0.2.1"]);
  });

  describe("that isolates share", () => {
    const shared = () => `{ providers: { ${main} }, rate_limits: { few: { per: ADDRESS, calls: 2, period: 10s, shared: true } }, rules: [{ match: { prefix: / }, allow: PUBLIC, rate_limits: [few] }] }`;
    const none = { maxConnections: null, maxPendingRequests: null, maxRequests: null, maxRetries: null };

    async function isolates(way: Way) {
      const ports = world();
      const tally = testTally(none, ports.now, way);
      const [one, other] = await Promise.all([1, 2].map(() => guarded({ auth: shared(), base: ports, ports: { tally } })));
      return { ports, tally, one: one!, other: other! };
    }

    it("is counted for all of them, by the key's hash, and who has used it up is not asked about again", async () => {
      const { ports, tally, one, other } = await isolates(async (answer) => answer());
      expect([(await one.call()).code, (await other.call()).code]).toEqual(["ok", "ok"]);
      const refused = await one.call();
      expect([refused.code, refused.status, refused.headers.get("retry-after"), refused.error.details?.[0]?.type]).toEqual(["resource_exhausted", 429, "5", "google.rpc.RetryInfo"]);
      await ports.pass(2000);
      expect([(await one.call()).headers.get("retry-after"), tally.asked.length]).toEqual(["3", 3]);
      expect(new Set(tally.asked)).toEqual(new Set([createHash("sha256").update("few address 192.0.2.1").digest("hex")]));
      await ports.pass(3000);
      expect([(await one.call()).code, (await other.call()).code]).toEqual(["ok", "resource_exhausted"]);
    });

    it("is counted by each for itself while who counts for all fails, and the log says so", async () => {
      const { ports, one, other } = await isolates(() => Promise.reject(new Error("gone")));
      for (const isolate of [one, other]) expect([(await isolate.call()).code, (await isolate.call()).code, (await isolate.call()).code]).toEqual(["ok", "ok", "resource_exhausted"]);
      expect(ports.logged.filter(({ event }) => event === "tally-failed")).toEqual(Array.from({ length: 2 }, () => ({ level: "warn", event: "tally-failed", limit: "few", failed: 1, error: "Error: gone", instead: "counted here" })));
    });

    it("is counted by each for itself where nobody counts for all, and the log says so", async () => {
      const { call, ports } = await guarded({ auth: shared() });
      expect([(await call()).code, (await call()).code, (await call()).code]).toEqual(["ok", "ok", "resource_exhausted"]);
      expect(ports.logged).toContainEqual({ level: "warn", event: "tally-missing", limit: "few", instead: "counted here" });
    });
  });
});

it.each([[3072, true], [3073, false]])("claims of %i bytes of JSON go along in a header: %s", async (bytes, goes) => {
  const { call, ports } = await guarded({ auth: `{ providers: { ${main} }, identity: { claims_header: x-claims }, rules: [{ match: { prefix: / }, require: {} }] }` });
  const claims = { iss: issuerName, aud: "api", sub: "ada", iat: ports.now() / 1000, exp: ports.now() / 1000 + 3600, note: "" };
  const note = "n".repeat(bytes - JSON.stringify(claims).length);
  const { code, sent } = await call({ ...(await bearer(ports.now(), { note })), "x-claims": "e30" });
  expect([code, sent!.get("x-claims")?.length]).toEqual(["ok", goes ? 4096 : undefined]);
  expect(ports.logged.filter(({ event }) => event === "claim-left-out").map(({ headers }) => headers)).toEqual(goes ? [] : [["x-claims"]]);
});
