import { hash } from "node:crypto";
import { CompactSign } from "jose";
import { beforeAll, describe, expect, it } from "vitest";
import { utf8 } from "../../worker/core/protocol/envelope.ts";
import { issuerName, type SigningKey, signingKey, token } from "./issuer.ts";
import { guarded } from "./world.ts";

let key: SigningKey;
let main: string;
beforeAll(async () => {
  key = await signingKey("a", "ES256");
  main = `main: { issuer: "${issuerName}", audiences: [api], algorithms: [ES256], jwks: '${JSON.stringify({ keys: [key.publicJwk] })}' }`;
});
const bearer = async (now: number, claims: Record<string, unknown> = {}) => ({ authorization: `Bearer ${await token(key, now, { claims })}` });
/** A token whose claims are written in just this way. */
const written = async (now: number, claims: string) => {
  const text = `{"iss":"${issuerName}","aud":"api","sub":"ada","exp":${now / 1000 + 600},${claims}}`;
  return { authorization: `Bearer ${await new CompactSign(utf8(text)).setProtectedHeader({ alg: "ES256", kid: "a" }).sign(key.privateKey)}` };
};

describe("a number in a claim", () => {
  const config = (require: string) => `{ providers: { ${main} }, identity: { claims_header: x-claims, claim_headers: { x-account: account } }, rules: [{ match: { method: /t.S/Unary }, require: { ${require} } }, { match: { method: /t.S/Get }, require: {} }] }`;

  it.each(["claims: { account: { values: ['9007199254740992'] } }", 'condition: "claims.account == 9007199254740992.0"'])("that a double would change meets nothing, and is told to nobody: %s", async (require) => {
    const { call, ports } = await guarded({ auth: config(require) });
    const shown = await written(ports.now(), '"account":9007199254740993');
    expect((await call(shown)).code).toBe("permission_denied");
    const { sent } = await call(shown, { method: "Get" });
    expect([sent!.get("x-account"), Buffer.from(sent!.get("x-claims")!, "base64url").toString()]).toEqual([null, expect.not.stringContaining("900719925474099")]);
  });
});

describe("why a condition fails", () => {
  it.each(["int(claims.pin) == 1", "claims[metadata['x-secret']] == 1"])("is said without what the caller has: %s", async (condition) => {
    const { call, ports } = await guarded({ auth: `{ providers: { ${main} }, rules: [{ match: { prefix: / }, require: { condition: "${condition}" } }] }`, top: "explain: { anybody: true }" });
    const { code, headers } = await call({ ...(await bearer(ports.now(), { pin: "hunter2" })), "x-secret": "hunter2", "fairlead-explain": "1" });
    expect([code, headers.get("fairlead-explanation")]).toEqual(["permission_denied", expect.stringContaining("cannot be evaluated")]);
    expect(headers.get("fairlead-explanation") + JSON.stringify(ports.logged)).not.toContain("hunter2");
  });
});

describe("callers without a subject", () => {
  it("are counted each for itself", async () => {
    const { call, ports } = await guarded({ auth: `{ providers: { ${main} }, rate_limits: { one: { per: PRINCIPAL, calls: 1, period: 10s } }, rules: [{ match: { prefix: / }, require: {}, rate_limits: [one] }] }` });
    const [one, other] = await Promise.all(["1", "2"].map((jti) => token(key, ports.now(), { claims: { jti, sub: undefined } })));
    const codes = [];
    for (const text of [one, other, one]) codes.push((await call({ authorization: `Bearer ${text}` })).code);
    expect(codes).toEqual(["ok", "ok", "resource_exhausted"]);
  });
});

describe("a rate limit by method", () => {
  it("counts methods that nobody knows together", async () => {
    const { call } = await guarded({ auth: "{ rate_limits: { one: { per: METHOD, calls: 1, period: 10s } }, rules: [{ match: { prefix: / }, allow: PUBLIC, rate_limits: [one] }] }" });
    const codes = [];
    for (const method of ["Made", "Up", "Unary", "Get"]) codes.push((await call({}, { method })).code);
    expect(codes).toEqual(["ok", "resource_exhausted", "ok", "ok"]);
  });
});

describe("the scopes of a token", () => {
  it("are those of scp where scope is empty", async () => {
    const { call, ports } = await guarded({ auth: `{ providers: { ${main} }, rules: [{ match: { prefix: / }, require: { scopes: [a] } }] }` });
    expect((await call(await bearer(ports.now(), { scope: "", scp: ["a"] }))).code).toBe("ok");
  });
});

describe("the keys of a provider that publishes none any more", () => {
  it("stop, the last one too", async () => {
    const uri = `${issuerName}/keys`;
    let published: unknown[] = [key.publicJwk];
    const fetch = async () => ({ status: 200, body: new Response(JSON.stringify({ keys: published })).body as ReadableStream<Uint8Array<ArrayBuffer>> });
    const { call, ports } = await guarded({ auth: `{ providers: { main: { issuer: "${issuerName}", audiences: [api], algorithms: [ES256], jwks_uri: "${uri}" } }, rules: [{ match: { prefix: / }, require: {} }] }`, ports: { fetch } });
    const good = await bearer(ports.now());
    expect((await call(good)).code).toBe("ok");
    published = [];
    await ports.pass(901_000);
    expect((await call(good)).code).toBe("unauthenticated");
  });
});

describe("stored API keys, while the store is down", () => {
  const sha256 = hash("sha256", "stored-key");
  const config = "{ providers: { k: { api_keys: { stored: true } } }, rules: [{ match: { prefix: / }, require: { provider: k } }] }";
  async function world() {
    const { call, ports } = await guarded({ auth: config });
    let reads = 0;
    const down = () => {
      reads++;
      return Promise.reject(new Error("down"));
    };
    return { call, ports, down, reads: () => reads };
  }

  it("are read and complained of once in five seconds, however many keys are tried", async () => {
    const { call, ports, down, reads } = await world();
    ports.storing = down;
    for (let i = 0; i < 100; i++) expect((await call({ "x-api-key": `invented-${i}` })).code).toBe("unavailable");
    expect([reads(), ports.logged.filter(({ event }) => event === "api-keys-unusable").length]).toEqual([1, 1]);
    await ports.pass(5000);
    await call({ "x-api-key": "invented" });
    expect(reads()).toBe(2);
  });

  it("are read by one of many calls that come at once, where there is a copy", async () => {
    const { call, ports, down, reads } = await world();
    ports.documents.set("api-keys/k", utf8(JSON.stringify({ schemaVersion: 1, keys: [{ name: "bot", sha256, scopes: [] }] })));
    await call({ "x-api-key": "stored-key" });
    await ports.pass(31_000);
    ports.storing = down;
    const ended = await Promise.all(Array.from({ length: 50 }, () => call({ "x-api-key": "stored-key" })));
    expect([new Set(ended.map(({ code }) => code)), reads()]).toEqual([new Set(["ok"]), 1]);
  });
});
