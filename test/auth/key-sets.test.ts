import { beforeAll, describe, expect, it, vi } from "vitest";
import { type World, world } from "../health/world.ts";
import type { Ports } from "../../worker/index.ts";
import { issuerName, type SigningKey, signingKey, token } from "./issuer.ts";
import { guarded } from "./world.ts";

const uri = `${issuerName}/keys`;
const auth = (more = "") => `{ providers: { main: { issuer: "${issuerName}", audiences: [api], algorithms: [RS256, ES256], ${more || `jwks_uri: "${uri}"`} } }, rules: [{ match: { prefix: / }, require: { provider: main } }] }`;

let [a, b, c]: SigningKey[] = [];
beforeAll(async () => {
  [a, b, c] = await Promise.all([signingKey("a"), signingKey("b", "ES256"), signingKey("c", "ES256")]);
});

/** An identity provider whose documents and answers are in the test's hands. */
function provider(...keys: SigningKey[]) {
  const documents = new Map<string, { status?: number; body: string }>();
  const asked: string[] = [];
  const publish = (...published: SigningKey[]): void => void documents.set(uri, { body: JSON.stringify({ keys: published.map(({ publicJwk }) => publicJwk) }) });
  publish(...keys);
  const fetch: Ports["fetch"] = async (url) => {
    asked.push(url);
    const found = documents.get(url);
    return found === undefined ? { failure: "refused" } : { status: found.status ?? 200, body: new Response(found.body).body as ReadableStream<Uint8Array<ArrayBuffer>> };
  };
  return { asked, documents, publish, fetch };
}

const bearer = async (key: SigningKey, ports: World, parts = {}) => ({ authorization: `Bearer ${await token(key, ports.now(), parts)}` });

describe("the keys of a provider", () => {
  it("are fetched once, and then known", async () => {
    const { asked, fetch } = provider(a!);
    const { call, ports } = await guarded({ auth: auth(), ports: { fetch } });
    for (let i = 0; i < 3; i++) expect((await call(await bearer(a!, ports))).code).toBe("ok");
    expect(asked).toEqual([uri]);
  });

  it("are renewed beside the calls that use them", async () => {
    const { asked, fetch } = provider(a!);
    const { call, ports } = await guarded({ auth: auth(), ports: { fetch } });
    await call(await bearer(a!, ports));
    await ports.pass(301_000);
    const kept: Promise<unknown>[] = [];
    expect((await call(await bearer(a!, ports), { facts: { keep: (work) => void kept.push(work) } })).code).toBe("ok");
    await Promise.all(kept);
    expect(asked).toEqual([uri, uri]);
  });

  it("rotate without a refused call, where the new one is published before it is used", async () => {
    const { publish, fetch } = provider(a!);
    const { call, ports } = await guarded({ auth: auth(), ports: { fetch } });
    expect((await call(await bearer(a!, ports))).code).toBe("ok");
    publish(a!, b!);
    await ports.pass(36_000);
    expect((await call(await bearer(b!, ports))).code).toBe("ok");
    expect((await call(await bearer(a!, ports))).code).toBe("ok");
  });

  it("stop when they are withdrawn, and the tokens that were verified with them do too", async () => {
    const { publish, fetch } = provider(a!, b!);
    const { call, ports } = await guarded({ auth: auth(), ports: { fetch } });
    const old = await bearer(a!, ports);
    expect((await call(old)).code).toBe("ok");
    publish(b!);
    await ports.pass(901_000);
    expect((await call(old)).code).toBe("unauthenticated");
    expect((await call(await bearer(b!, ports))).code).toBe("ok");
  });

  it("outlive an outage of the provider, up to the time that the config allows", async () => {
    const { documents, fetch } = provider(a!);
    const { call, ports } = await guarded({ auth: auth(`jwks_uri: "${uri}", keys_kept: 1800s`), ports: { fetch } });
    await call(await bearer(a!, ports));
    documents.clear();
    for (let minute = 1; minute < 30; minute++) {
      await ports.pass(60_000);
      expect((await call(await bearer(a!, ports))).code).toBe("ok");
    }
    await ports.pass(60_000);
    expect((await call(await bearer(a!, ports))).code).toBe("unavailable");
  });

  it("are fetched again soon after a fetch failed", async () => {
    const { documents, publish, fetch } = provider();
    documents.clear();
    const { call, ports } = await guarded({ auth: auth(), ports: { fetch } });
    expect((await call(await bearer(a!, ports))).code).toBe("unavailable");
    publish(a!);
    await ports.pass(6000);
    expect((await call(await bearer(a!, ports))).code).toBe("ok");
  });

  it("are fetched once a cool-down for a flood of unknown kids, by all isolates together", async () => {
    const { asked, fetch } = provider(a!);
    const shared = world();
    const isolates = await Promise.all(Array.from({ length: 5 }, () => guarded({ auth: auth(), base: shared, ports: { fetch } })));
    await isolates[0]!.call(await bearer(a!, shared));
    for (let i = 0; i < 4; i++) {
      for (const { call } of isolates) {
        const tokens = await Promise.all(Array.from({ length: 10 }, (_, n) => bearer(b!, shared, { header: { kid: `x${i}${n}` } })));
        const flood = Promise.all(tokens.map(async (shown) => (await call(shown)).code));
        // Whoever waits for another's fetch looks again by its own timer.
        for (let look = 0; look < 5; look++) await shared.pass(15);
        expect(new Set(await flood)).toEqual(new Set(["unauthenticated"]));
      }
      await shared.pass(31_000);
    }
    expect(asked.length).toBeLessThanOrEqual(4);
  });

  it("that another isolate fetched are taken from the store", async () => {
    const { asked, fetch } = provider(a!);
    const shared = world();
    const one = await guarded({ auth: auth(), base: shared, ports: { fetch } });
    await one.call(await bearer(a!, shared));
    const other = await guarded({ auth: auth(), base: shared, ports: { fetch } });
    expect((await other.call(await bearer(a!, shared))).code).toBe("ok");
    expect(asked).toHaveLength(1);
  });

  it("in the store are not taken by a config that has them from elsewhere", async () => {
    const { asked, documents, fetch } = provider(a!);
    const shared = world();
    await (await guarded({ auth: auth(), base: shared, ports: { fetch } })).call(await bearer(a!, shared));
    documents.set(`${issuerName}/other`, { body: JSON.stringify({ keys: [b!.publicJwk] }) });
    const other = await guarded({ auth: auth(`jwks_uri: "${issuerName}/other"`), base: shared, ports: { fetch } });
    expect((await other.call(await bearer(a!, shared))).code).toBe("unauthenticated");
    expect(asked).toEqual([uri, `${issuerName}/other`]);
  });

  it.each([
    ["a redirect", 302, '{"keys":[]}'],
    ["an error page", 500, "{}"],
    ["more than 64 KiB", 200, `{"keys":[],"x":"${"y".repeat(65 * 1024)}"}`],
    ["no JSON", 200, "<html>"],
    ["no key set", 200, "[]"],
    ["no public key", 200, '{"keys":[{"kty":"oct","k":"AAAA","kid":"a"}]}'],
  ])("cannot be had from %s", async (_what, status, body) => {
    const { documents, fetch } = provider();
    documents.set(uri, { status, body });
    const { call, ports, reached } = await guarded({ auth: auth(), ports: { fetch } });
    expect((await call(await bearer(a!, ports))).code).toBe("unavailable");
    expect(reached).toHaveLength(0);
  });

  it("that never come are waited for no longer than two seconds", async () => {
    const fetch = vi.fn(() => new Promise<never>(() => {}));
    const { call, ports } = await guarded({ auth: auth(), ports: { fetch } });
    const calling = call(await bearer(a!, ports));
    await vi.waitFor(() => expect(fetch).toHaveBeenCalled());
    await ports.pass(2000);
    expect((await calling).code).toBe("unavailable");
  });

  it("are where the discovery document says, if it is the issuer's own", async () => {
    const { documents, fetch } = provider(a!);
    const well = `${issuerName}/.well-known/openid-configuration`;
    documents.set(well, { body: JSON.stringify({ issuer: issuerName, jwks_uri: uri }) });
    const good = await guarded({ auth: auth("discovery: true"), ports: { fetch } });
    expect((await good.call(await bearer(a!, good.ports))).code).toBe("ok");
    for (const document of [{ issuer: `${issuerName}/`, jwks_uri: uri }, { issuer: issuerName, jwks_uri: "http://id.example/keys" }, { issuer: issuerName, jwks_uri: "http://localhost/keys" }, { issuer: issuerName }]) {
      documents.set(well, { body: JSON.stringify(document) });
      const bad = await guarded({ auth: auth("discovery: true"), ports: { fetch } });
      expect((await bad.call(await bearer(a!, bad.ports))).code).toBe("unavailable");
    }
  });

  it("do not have to be named by a token where only one fits it", async () => {
    const { publish, fetch } = provider(a!, b!);
    const { call, ports } = await guarded({ auth: auth(), ports: { fetch } });
    expect((await call(await bearer(b!, ports, { header: { kid: undefined } }))).code).toBe("ok");
    publish(a!, b!, c!);
    await ports.pass(901_000);
    expect((await call(await bearer(b!, ports, { header: { kid: undefined } }))).code).toBe("unauthenticated");
  });
});
