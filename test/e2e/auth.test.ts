import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type SigningKey, signingKey, token } from "../auth/issuer.ts";
import { call as send, open } from "./client.ts";
import { defects, type Proxy, runtimes, sleep, startProxy, testConfig } from "./harness.ts";
import { type RawOrigin, replies, startRawOrigin } from "./origin.ts";
import { type CallerDialect, callerDialects, request, understand, webReply } from "./wire.ts";

describe.each(runtimes)("on %s", (runtime) => {
  let origin: RawOrigin;
  let proxy: Proxy;
  let key: SigningKey;
  let other: SigningKey;

  beforeAll(async () => {
    [origin, key, other] = await Promise.all([startRawOrigin(), signingKey("k1"), signingKey("k1")]);
    const auth = `
auth:
  providers: { main: { issuer: "https://id.example", audiences: [api], algorithms: [RS256], jwks: '${JSON.stringify({ keys: [key.publicJwk] })}' } }
  rules:
    - { match: { service: test.v1.Test }, require: { provider: main, condition: "claims.sub == 'ada' && metadata['x-tenant'] == 't'" } }
    - { match: { method: /test.v1.Test/Server }, require: { provider: main } }
  identity: { claim_headers: { x-user-id: sub }, mint: { issuer: fairlead, secret: MINT } }
`;
    proxy = await startProxy(runtime, testConfig(origin.url, { top: auth }), { MINT: JSON.stringify((await signingKey("own", "ES256")).privateJwk) });
  });
  afterAll(async () => {
    await proxy.stop();
    await origin.stop();
    expect(defects(proxy.log())).toEqual([]);
  });
  beforeEach(() => origin.answer(replies(200, { "content-type": "application/grpc-web+proto" }, webReply("x"))));

  async function call(dialect: CallerDialect, authorization?: string, to = proxy) {
    const { headers, body } = request(dialect, "x");
    const path = `/web/test.v1.Test/${dialect === "connect-stream" ? "Server" : "Unary"}`;
    const reply = await send(to.port, { path, headers: { ...headers, "x-tenant": "t", "x-user-id": "root", ...(authorization !== undefined && { authorization }) }, body });
    return { code: understand(dialect, reply).code, headers: reply.headers, calls: origin.seen.length };
  }

  it.each(callerDialects)("a call in %s without a token is refused, and no origin is called", async (dialect) => {
    expect(await call(dialect)).toMatchObject({ code: "unauthenticated", calls: 0 });
  });

  it.each(callerDialects)("a call in %s with a token of another's key is refused, and no origin is called", async (dialect) => {
    expect(await call(dialect, `Bearer ${await token(other, Date.now())}`)).toMatchObject({ code: "unauthenticated", calls: 0 });
  });

  it.each(callerDialects)("a call in %s with a good token passes, twice, and the origin is told who calls", async (dialect) => {
    const good = `Bearer ${await token(key, Date.now())}`;
    expect(await call(dialect, good)).toMatchObject({ code: "ok", calls: 1, headers: { "cache-control": "private" } });
    expect(await call(dialect, good)).toMatchObject({ code: "ok", calls: 2 });
    expect(origin.seen[0]!.headers["x-user-id"]).toBe("ada");
    const minted = JSON.parse(Buffer.from(String(origin.seen[0]!.headers.authorization).split(".")[1]!, "base64url").toString()) as object;
    expect(minted).toMatchObject({ iss: "fairlead", aud: "web", sub: "ada" });
  });

  it("a good token of somebody else is not enough", async () => {
    expect(await call("connect-unary", `Bearer ${await token(key, Date.now(), { claims: { sub: "eve" } })}`)).toMatchObject({ code: "permission_denied", calls: 0 });
  });

  it("keys are fetched from where the config says, once, and a redirect is not followed", async () => {
    const jwks = await startRawOrigin();
    const rule = (path: string) => `auth: { providers: { main: { issuer: "https://id.example", audiences: [api], algorithms: [RS256], jwks_uri: "${jwks.url}${path}" } }, rules: [{ match: { prefix: / }, require: { provider: main } }] }`;
    const good = `Bearer ${await token(key, Date.now())}`;
    for (const [path, code, fetches] of [["/keys", "ok", ["/keys"]], ["/moved", "unavailable", ["/moved"]]] as const) {
      jwks.answer((response, { url }) => {
        if (url === "/moved") response.writeHead(302, { location: `${jwks.url}/keys` }).end();
        else response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify({ keys: [key.publicJwk] }));
      });
      const fetching = await startProxy(runtime, testConfig(origin.url, { top: rule(path) }));
      try {
        for (let i = 0; i < 2; i++) expect(await call("connect-unary", good, fetching)).toMatchObject({ code });
        expect(jwks.seen.map(({ url }) => url)).toEqual(fetches);
      } finally {
        await fetching.stop();
      }
    }
    await jwks.stop();
  });

  it("calls that come while keys are being fetched wait for them, and the one that fetches may leave", async () => {
    const jwks = await startRawOrigin();
    jwks.answer(async (response) => {
      await sleep(400);
      response.writeHead(200).end(JSON.stringify({ keys: [key.publicJwk] }));
    });
    const waiting = await startProxy(runtime, testConfig(origin.url, { top: `auth: { providers: { main: { issuer: "https://id.example", audiences: [api], algorithms: [RS256], jwks_uri: "${jwks.url}/keys" } }, rules: [{ match: { prefix: / }, require: { provider: main } }] }` }));
    try {
      const good = `Bearer ${await token(key, Date.now())}`;
      const { headers, body } = request("connect-unary", "x");
      const leaving = open(waiting.port, { path: "/web/test.v1.Test/Unary", headers: { ...headers, authorization: good }, body });
      await sleep(100);
      leaving.request.destroy();
      const others = await Promise.all(Array.from({ length: 8 }, () => call("connect-unary", good, waiting)));
      expect(others.map(({ code }) => code)).toEqual(Array.from({ length: 8 }, () => "ok"));
      expect(jwks.seen.length).toBeLessThanOrEqual(2);
    } finally {
      await waiting.stop();
      await jwks.stop();
    }
  });

  it("scopes are read where the config says that they stand, inside another claim", async () => {
    const rule = `auth: { providers: { main: { issuer: "https://id.example", audiences: [api], algorithms: [RS256], scopes_claim: realm_access.roles, jwks: '${JSON.stringify({ keys: [key.publicJwk] })}' } }, rules: [{ match: { prefix: / }, require: { scopes: [reader, writer] } }] }`;
    const nested = await startProxy(runtime, testConfig(origin.url, { top: rule }));
    try {
      const codeWith = async (claims: Record<string, unknown>) => (await call("connect-unary", `Bearer ${await token(key, Date.now(), { claims })}`, nested)).code;
      expect(await Promise.all([
        codeWith({ realm_access: { roles: ["reader", "writer"] } }), codeWith({ realm_access: { roles: "writer reader" } }),
        codeWith({ realm_access: { roles: ["reader"] }, scope: "writer" }), codeWith({ scope: "reader writer" }), codeWith({ "realm_access.roles": ["reader", "writer"] }), codeWith({ realm_access: [{ roles: ["reader", "writer"] }] }),
      ])).toEqual(["ok", "ok", ...Array.from({ length: 4 }, () => "permission_denied")]);
    } finally {
      await nested.stop();
    }
  });

  it("the public keys of the proxy's own tokens are there for everybody", async () => {
    const { keys } = (await (await fetch(`${proxy.url}/.well-known/jwks.json`)).json()) as { keys: object[] };
    expect(keys).toMatchObject([{ kty: "EC", kid: "own", alg: "ES256", use: "sig" }]);
    expect(keys[0]).not.toHaveProperty("d");
  });
});
