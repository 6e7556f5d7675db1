import { hash } from "node:crypto";
import { beforeAll, describe, expect, it } from "vitest";
import { utf8 } from "../../worker/core/protocol/envelope.ts";
import { issuerName, type SigningKey, signingKey, token } from "./issuer.ts";
import { guarded } from "./world.ts";

let key: SigningKey;
let tokens: string;
beforeAll(async () => {
  key = await signingKey("a");
  tokens = `issuer: "${issuerName}", audiences: [api], algorithms: [RS256], jwks: '${JSON.stringify({ keys: [key.publicJwk] })}'`;
});
const sha256 = (text: string) => hash("sha256", text);
const allMust = (requirement: string) => `rules: [{ match: { prefix: / }, require: { ${requirement} } }]`;

describe("an API key", () => {
  const config = (more = "") => `{ providers: { k: { api_keys: { keys: [{ name: cron, sha256: ${sha256("good-key")}, scopes: [jobs] }]${more} } } }, identity: { claim_headers: { x-who: sub } }, ${allMust("provider: k, scopes: [jobs]")} }`;

  it("lets its owner call, and is not passed on", async () => {
    const { call } = await guarded({ auth: config() });
    const { code, sent } = await call({ "x-api-key": "good-key" });
    expect([code, sent!.get("x-who"), sent!.get("x-api-key")]).toEqual(["ok", "cron", null]);
  });

  it.each(["", "good-key2", "Good-key", "good-key, good-key", "good-key ,x", sha256("good-key"), "x".repeat(600)])("that reads %j is refused", async (shown) => {
    const { call, reached } = await guarded({ auth: config() });
    expect((await call({ "x-api-key": shown })).code).toBe("unauthenticated");
    expect(reached).toHaveLength(0);
  });

  const stored = (keys: object[]) => utf8(JSON.stringify({ schemaVersion: 1, keys }));
  it("in the store counts until it is revoked", async () => {
    const { call, ports } = await guarded({ auth: config(", stored: true") });
    const entry = { name: "bot", sha256: sha256("stored-key"), scopes: ["jobs"] };
    ports.documents.set("api-keys/k", stored([entry]));
    expect((await call({ "x-api-key": "stored-key" })).sent!.get("x-who")).toBe("bot");
    ports.documents.set("api-keys/k", stored([{ ...entry, revoked: true }]));
    expect((await call({ "x-api-key": "stored-key" })).code).toBe("ok");
    await ports.pass(30_000);
    expect((await call({ "x-api-key": "stored-key" })).code).toBe("unauthenticated");
  });

  it("that only the store could know is refused as unavailable while the store cannot be read, and soon where it could", async () => {
    const { call, ports } = await guarded({ auth: config(", stored: true") });
    ports.storing = () => Promise.reject(new Error("down"));
    expect((await call({ "x-api-key": "stored-key" })).code).toBe("unavailable");
    expect((await call({ "x-api-key": "good-key" })).code).toBe("ok");
    ports.storing = () => {};
    ports.documents.set("api-keys/k", stored([{ name: "bot", sha256: sha256("stored-key"), scopes: ["jobs"] }]));
    await ports.pass(5000);
    expect((await call({ "x-api-key": "stored-key" })).code).toBe("ok");
    ports.storing = () => Promise.reject(new Error("down"));
    await ports.pass(40_000);
    expect((await call({ "x-api-key": "stored-key" })).code).toBe("ok");
    await ports.pass(30_000);
    expect((await call({ "x-api-key": "stored-key" })).code).toBe("unavailable");
  });

  it("is refused where the store's document is corrupt, which is logged", async () => {
    const { call, ports, reached } = await guarded({ auth: config(", stored: true") });
    ports.documents.set("api-keys/k", stored([{ name: "bot" }]));
    expect((await call({ "x-api-key": "stored-key" })).code).toBe("internal");
    expect(ports.logged).toContainEqual({ level: "error", event: "api-keys-unusable", provider: "k", reason: "corrupt" });
    expect(reached).toHaveLength(0);
  });
});

describe("a client certificate", () => {
  const mine = sha256("mine");
  const config = (more: string) => `{ providers: { certs: { client_certificates: { ${more} } } }, identity: { claim_headers: { x-who: sub } }, ${allMust("provider: certs")} }`;
  const listed = `allowed: [{ name: robot, sha256: ${mine} }, { name: named, subject: "CN=b,O=acme" }]`;
  const shows = (sha256: string, subject: string) => ({ facts: { clientCertificate: () => ({ sha256, subject }) } });

  it.each([[mine, "CN=a", "robot"], [sha256("other"), "CN=b,O=acme", "named"]])("%s, %s is %s", async (hash, subject, name) => {
    const { call } = await guarded({ auth: config(listed) });
    expect((await call({}, shows(hash, subject))).sent!.get("x-who")).toBe(name);
  });

  it("that is not listed, or not there, is refused", async () => {
    const { call, reached } = await guarded({ auth: config(listed) });
    expect((await call({}, shows(sha256("other"), "CN=c"))).code).toBe("unauthenticated");
    expect((await call({ "x-forwarded-client-cert": `Hash=${mine}` })).code).toBe("unauthenticated");
    expect(reached).toHaveLength(0);
  });

  it("is told by a front in a header only where the config trusts it, and the header goes no further", async () => {
    const { call } = await guarded({ auth: config(`${listed}, trusted_header: x-forwarded-client-cert`) });
    const { code, sent } = await call({ "x-forwarded-client-cert": `Hash=${sha256("evil")};Subject="CN=x",By=spiffe://a;Hash=${mine};Subject="CN=a;,\\"q\\""` });
    expect([code, sent!.get("x-who"), sent!.get("x-forwarded-client-cert")]).toEqual(["ok", "robot", null]);
    for (const told of ["", "Hash", `Hash=${mine};Hash=${mine}`, `Hash=${mine},`, `Hash=${mine},By=x`, `Subject="CN=b,O=acme`, `Hash=${mine}x`]) {
      expect([told, (await call({ "x-forwarded-client-cert": told })).code]).toEqual([told, "unauthenticated"]);
    }
  });
});

describe("a token in a cookie", () => {
  const config = (more = "") => `{ providers: { main: { ${tokens}, token: { cookie: session }${more} } }, ${allMust("provider: main")} }`;
  const top = "cors: { allowed_origins: [https://app.example], allow_credentials: true }";

  it.each([
    [{ origin: "https://app.example" }, "ok"],
    [{ origin: "https://p.example" }, "ok"],
    [{ "sec-fetch-site": "same-origin" }, "ok"],
    [{}, "permission_denied"],
    [{ origin: "https://evil.example" }, "permission_denied"],
    [{ origin: "https://evil.example", "sec-fetch-site": "same-origin" }, "permission_denied"],
    [{ origin: "null" }, "permission_denied"],
    [{ origin: "http://p.example" }, "permission_denied"],
    [{ origin: "https://p.example:8443" }, "permission_denied"],
    [{ origin: "https://p.example.evil.example" }, "permission_denied"],
    [{ "sec-fetch-site": "same-site" }, "permission_denied"],
    [{ "sec-fetch-site": "none" }, "permission_denied"],
  ])("that comes with %o is told %s", async (from, code) => {
    const { call, ports } = await guarded({ auth: config(), top });
    const cookie = `a=b; session=${await token(key, ports.now())}`;
    expect((await call({ cookie, ...(from as Record<string, string>) })).code).toBe(code);
    expect((await call({ cookie, ...(from as Record<string, string>) }, { method: "Get", get: true })).code).toBe(code);
  });

  it("is refused where it is there twice, or empty", async () => {
    const { call, ports } = await guarded({ auth: config(), top });
    const good = await token(key, ports.now());
    for (const cookie of [`session=${good}; session=${good}`, `session=${good}, session=${good}`, `a=1,session=${good}`, `a=1, session=${good}; b=2`, "session=", `session="${good}"`]) {
      expect((await call({ cookie, origin: "https://app.example" })).code).toBe("unauthenticated");
    }
  });

  it("goes on, unless the config has it stripped; then the other cookies do", async () => {
    const { call, ports } = await guarded({ auth: config(), top });
    const cookie = `a=b; session=${await token(key, ports.now())}; c=d`;
    expect((await call({ cookie, origin: "https://app.example" })).sent!.get("cookie")).toBe(cookie);
    const strict = await guarded({ auth: config(", strip: true"), top });
    expect((await strict.call({ cookie, origin: "https://app.example" })).sent!.get("cookie")).toBe("a=b; c=d");
  });
});

describe("of two issuers whose tokens stand in one header", () => {
  it("each has its own keys, though they have one name, and its own methods", async () => {
    const other = await signingKey("a");
    const issuer = (name: string, { publicJwk }: SigningKey) => `{ issuer: "${name}", audiences: [api], algorithms: [RS256], jwks: '${JSON.stringify({ keys: [publicJwk] })}' }`;
    const { call, ports } = await guarded({ auth: `{ providers: { one: ${issuer(issuerName, key)}, two: ${issuer("https://two.example", other)} }, rules: [{ match: { method: /t.S/Unary }, require: { provider: one } }, { match: { method: /t.S/Get }, require: { provider: two } }] }` });
    const shows = async (by: SigningKey, iss: string) => ({ authorization: `Bearer ${await token(by, ports.now(), { claims: { iss } })}` });
    const [one, two] = [await shows(key, issuerName), await shows(other, "https://two.example")];
    const codes = async (headers: Record<string, string>) => [(await call(headers)).code, (await call(headers, { method: "Get" })).code];
    expect(await codes(one)).toEqual(["ok", "permission_denied"]);
    expect(await codes(two)).toEqual(["permission_denied", "ok"]);
    expect(await codes(await shows(other, issuerName))).toEqual(["unauthenticated", "unauthenticated"]);
    expect(await codes(await shows(key, "https://three.example"))).toEqual(["unauthenticated", "unauthenticated"]);
  });

  it("one of one issuer with several audiences is the provider's whose audience it has", async () => {
    const jwks = `jwks: '${JSON.stringify({ keys: [key.publicJwk] })}'`;
    const provider = (audience: string) => `{ issuer: "${issuerName}", audiences: [${audience}], algorithms: [RS256], ${jwks} }`;
    const { call, ports } = await guarded({ auth: `{ providers: { a: ${provider("a")}, b: ${provider("b")} }, ${allMust("provider: b")} }` });
    const shows = async (aud: unknown) => ({ authorization: `Bearer ${await token(key, ports.now(), { claims: { aud } })}` });
    expect([(await call(await shows("b"))).code, (await call(await shows("a"))).code, (await call(await shows("c"))).code]).toEqual(["ok", "permission_denied", "unauthenticated"]);
  });
});

describe("of several credentials", () => {
  const config = () => `{ providers: { main: { ${tokens} }, k: { api_keys: { keys: [{ name: cron, sha256: ${sha256("good-key")} }] } } }, rules: [{ match: { prefix: / }, any: [{ provider: main, scopes: [x] }, { provider: k }] }] }`;

  it("each must be good, and one must be enough", async () => {
    const { call, ports, reached } = await guarded({ auth: config() });
    const good = `Bearer ${await token(key, ports.now())}`;
    expect((await call({ "x-api-key": "good-key", authorization: good })).code).toBe("ok");
    expect((await call({ authorization: good })).code).toBe("permission_denied");
    expect(reached).toHaveLength(1);
    expect((await call({ "x-api-key": "good-key", authorization: `${good}x` })).code).toBe("unauthenticated");
    expect((await call({ "x-api-key": "bad", authorization: good })).code).toBe("unauthenticated");
    expect((await call({ "x-api-key": "good-key", authorization: "" })).code).toBe("unauthenticated");
    expect((await call({ "x-api-key": "good-key", authorization: "Basic YTpi" })).code).toBe("unauthenticated");
    expect(reached).toHaveLength(1);
  });

  it("a token in a header of another name is the whole value", async () => {
    const { call, ports } = await guarded({ auth: `{ providers: { main: { ${tokens}, token: { header: x-token }, strip: true } }, ${allMust("provider: main")} }` });
    const good = await token(key, ports.now());
    const { code, sent } = await call({ "x-token": good });
    expect([code, sent!.get("x-token")]).toEqual(["ok", null]);
    for (const shown of [`Bearer ${good}`, `${good},${good}`, `${good} x`]) expect((await call({ "x-token": shown })).code).toBe("unauthenticated");
    expect((await call({ authorization: `Bearer ${good}` })).code).toBe("unauthenticated");
  });
});
