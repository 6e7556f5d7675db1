import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { hash } from "node:crypto";
import { beforeAll, describe, expect, it } from "vitest";
import { CheckRequestSchema, CheckResponseSchema } from "../../gen/fairlead/authz/v1/authz_pb.js";
import { settled, world as fresh } from "../health/world.ts";
import { issuerName, type SigningKey, signingKey, token } from "./issuer.ts";
import { type Answered, guarded } from "./world.ts";

let key: SigningKey;
let main: string;
beforeAll(async () => {
  key = await signingKey("a");
  main = `main: { issuer: "${issuerName}", audiences: [api], algorithms: [RS256], jwks: '${JSON.stringify({ keys: [key.publicJwk] })}' }`;
});

const says = (answer: Parameters<typeof create<typeof CheckResponseSchema>>[1]): Answered => ({ body: toBinary(CheckResponseSchema, create(CheckResponseSchema, answer)) });
const allow = (headers: Record<string, string> = {}, ttl = 0) => says({ answer: { case: "allow", value: { headers } }, ttl: { seconds: BigInt(ttl), nanos: 0 } });

/** A proxy that asks an authorizer which answers as told; what it was asked is written down. */
async function world(answer: () => Answered | Promise<Answered>, { more = "", rule = "require: {}" } = {}) {
  const asked: ReturnType<typeof readQuestion>[] = [];
  const { call, ports, reached } = await guarded({
    auth: `{ providers: { ${main} }, authorizers: { acl: { cluster: authz, metadata: [x-doc], headers: [x-role, x-up]${more} } }, rules: [{ match: { prefix: / }, ${rule}, authorizer: acl }] }`,
    others: {
      "authz.example": (request) => {
        asked.push(readQuestion(request.body as Uint8Array));
        expect([request.path, request.headers.get("content-type")]).toEqual(["/fairlead.authz.v1.AuthorizationService/Check", "application/proto"]);
        return answer();
      },
    },
  });
  const bearer = async (sub = "ada", claims: Record<string, unknown> = {}) => ({ authorization: `Bearer ${await token(key, ports.now(), { claims: { sub, scope: "a", n: [1, null], ...claims } })}` });
  return { call, ports, reached, asked, bearer };
}

function readQuestion(bytes: Uint8Array) {
  const { method, metadata, clientAddress, principal } = fromBinary(CheckRequestSchema, bytes);
  return { method, metadata, clientAddress, subject: principal?.subject, scopes: principal?.scopes, provider: principal?.provider, n: principal?.claims?.["n"] };
}

describe("an authorizer", () => {
  it("is told who calls what, after the token was verified, and what it allows goes along", async () => {
    const { call, asked, bearer } = await world(() => allow({ "x-role": "admin", "content-type": "text/html", host: "evil", connection: "x", "X-Up": "1", "x-undeclared": "1" }));
    expect((await call({ authorization: "Bearer x" })).code).toBe("unauthenticated");
    expect(asked).toHaveLength(0);
    const { code, sent } = await call({ ...(await bearer()), "x-doc": "7", "x-role": "root", "x-other": "1" });
    expect([code, sent!.get("x-role"), sent!.get("content-type"), sent!.get("host"), sent!.get("x-up"), sent!.get("x-undeclared")]).toEqual(["ok", "admin", "application/proto", null, "1", null]);
    expect(asked).toEqual([{ method: "/t.S/Unary", metadata: { "x-doc": "7" }, clientAddress: "192.0.2.1", subject: "ada", scopes: ["a"], provider: "main", n: [1, null] }]);
  });

  it.each([
    ["a denial with a word for the caller", () => says({ answer: { case: "deny", value: { message: "not on Sundays" } } }), "permission_denied", "not on Sundays"],
    ["a denial", () => says({ answer: { case: "deny", value: {} } }), "permission_denied", "the caller may not do this"],
    ["neither yes nor no", () => says({}), "permission_denied", "the caller may not do this"],
    ["an error", () => ({ status: 500, type: "application/json", body: '{"code":"internal"}' }), "unavailable", undefined],
    ["a redirect", () => ({ status: 302, headers: { location: "http://authz.example/yes" } }), "unavailable", undefined],
    ["another type", () => ({ ...allow(), type: "application/json" }), "unavailable", undefined],
    ["nonsense", () => ({ body: "\xff\xff" }), "unavailable", undefined],
    ["too much", () => ({ body: "x".repeat(70_000) }), "unavailable", undefined],
  ] as [string, () => Answered, string, string | undefined][])("that answers %s lets nothing pass", async (_what, answer, code, message) => {
    const { call, reached, bearer } = await world(answer);
    const outcome = await call(await bearer());
    expect(outcome.code).toBe(code);
    if (message !== undefined) expect(outcome.error.message).toBe(message);
    expect(reached).toHaveLength(0);
  });

  it("that does not answer in time lets nothing pass, unless it fails open", async () => {
    for (const [more, code] of [["", "unavailable"], [", fail_open: true", "ok"]] as const) {
      const { call, ports, asked, bearer } = await world(() => new Promise<Answered>(() => {}), { more });
      const calling = call(await bearer());
      while (asked.length === 0) await settled();
      await ports.pass(500);
      expect((await calling).code).toBe(code);
    }
  });

  it("alone sets the headers that are declared for it, on every route", async () => {
    const spoofed = { "x-role": "root" };
    const silent = await world(() => allow());
    expect((await silent.call({ ...(await silent.bearer()), ...spoofed })).sent!.get("x-role")).toBeNull();
    const down = await world(() => ({ status: 503, type: "text/html" }), { more: ", fail_open: true" });
    expect((await down.call({ ...(await down.bearer()), ...spoofed })).sent!.get("x-role")).toBeNull();
  });

  it.each([{ "x-role": "m\u00fcller" }, { "x-role": "a\nb" }, { "x-role": "" }, { "x-role": "a", "X-Role": "b" }])("that declares a header and says %o of it lets nothing pass", async (headers) => {
    const { call, reached, bearer } = await world(() => allow(headers), { more: ", fail_open: true" });
    expect((await call(await bearer())).code).toBe("unavailable");
    expect(reached).toHaveLength(0);
  });

  it.each([[30, "ok", 1], [31, "permission_denied", 0], [1500, "permission_denied", 0]])("is told of claims %i levels deep: %s", async (levels, code, times) => {
    const { call, asked, bearer } = await world(() => allow());
    const note = JSON.parse("[".repeat(levels - 1) + "]".repeat(levels - 1)) as unknown;
    expect((await call(await bearer("ada", { note }))).code).toBe(code);
    expect(asked).toHaveLength(times);
  });

  const json = (status: number, code: string): Answered => ({ status, type: "application/json", body: JSON.stringify({ code }) });
  it.each([
    ["HTTP 403 with a denial", json(403, "permission_denied"), "permission_denied"],
    ["HTTP 401 with a denial", json(401, "unauthenticated"), "permission_denied"],
    ["HTTP 500", json(500, "unknown"), "unavailable"],
    ["HTTP 503 with an error of its own", json(503, "unavailable"), "unavailable"],
    ["HTTP 404", { status: 404, type: "text/html" }, "unavailable"],
    ["HTTP 503 of a gateway", { status: 503, type: "text/html" }, "ok"],
  ])("that fails open and answers %s has been asked, unless a gateway answers", async (_what, answer, code) => {
    const { call, bearer } = await world(() => answer, { more: ", fail_open: true" });
    expect((await call(await bearer())).code).toBe(code);
  });

  it("that fails open still refuses what it denies, and what nobody can read", async () => {
    for (const answer of [() => says({ answer: { case: "deny", value: {} } }), () => ({ body: "\xff\xff" })]) {
      const { call, reached, bearer } = await world(answer, { more: ", fail_open: true" });
      expect((await call(await bearer())).code).not.toBe("ok");
      expect(reached).toHaveLength(0);
    }
  });

  it("is asked anew when its answer has run out, and for every other question", async () => {
    const { call, ports, asked, bearer } = await world(() => allow({}, 10));
    const [ada, eve] = [await bearer(), await bearer("eve")];
    for (let i = 0; i < 3; i++) await call({ ...ada, "x-doc": "1", "x-other": String(i) });
    expect(asked).toHaveLength(1);
    await call({ ...ada, "x-doc": "2" });
    await call({ ...eve, "x-doc": "1" });
    await call({ ...ada, "x-doc": "1" }, { method: "Get" });
    await call({ ...ada, "x-doc": "1" }, { facts: { clientAddress: () => "192.0.2.2" } });
    expect(asked).toHaveLength(5);
    await ports.pass(10_000);
    await call({ ...ada, "x-doc": "1" });
    expect(asked).toHaveLength(6);
  });

  it("without a time is asked at each call, of a method that is open to everybody, too", async () => {
    const { call, asked } = await world(() => allow(), { rule: "allow: PUBLIC" });
    expect([(await call()).code, (await call()).code]).toEqual(["ok", "ok"]);
    expect(asked.map(({ subject }) => subject)).toEqual([undefined, undefined]);
  });
});

describe("what an authorizer said of one caller", () => {
  const rule = (providers: string, any: string) => `{ providers: { ${providers} }, authorizers: { acl: { cluster: authz } }, rules: [{ match: { prefix: / }, any: [${any}], authorizer: acl }] }`;
  const store = (base: ReturnType<typeof fresh>, provider: string, name: string, ...scopes: string[]) =>
    void base.documents.set(`api-keys/${provider}`, new TextEncoder().encode(JSON.stringify({ schemaVersion: 1, keys: [{ name, sha256: hash("sha256", "good-key"), scopes }] })));
  const askedOf = async (providers: string, any: string, base = fresh()) => {
    const asked: string[] = [];
    const { call } = await guarded({
      auth: rule(providers, any),
      base,
      others: {
        "authz.example": (request) => {
          const { provider, subject, scopes } = readQuestion(request.body as Uint8Array);
          asked.push([provider, subject, ...(scopes ?? [])].join(" "));
          return allow({}, 3600);
        },
      },
    });
    return { call, asked, base };
  };

  it("is not taken for what it would say of another provider's with the same key", async () => {
    const keyed = (header: string) => `{ api_keys: { header: ${header}, stored: true } }`;
    const { call, asked, base } = await askedOf(`a: ${keyed("x-a")}, b: ${keyed("x-b")}`, "{ provider: a }, { provider: b }");
    for (const provider of ["a", "b"]) store(base, provider, "cron");
    for (const header of ["x-a", "x-b", "x-a", "x-b"]) expect((await call({ [header]: "good-key" })).code).toBe("ok");
    expect(asked).toEqual(["a cron", "b cron"]);
  });

  it("is not taken for what it would say of another provider's with the same token", async () => {
    const issuer = (header: string) => `{ issuer: "${issuerName}", audiences: [api], algorithms: [RS256], jwks: '${JSON.stringify({ keys: [key.publicJwk] })}', token: { header: ${header} } }`;
    const { call, asked, base } = await askedOf(`a: ${issuer("x-a")}, b: ${issuer("x-b")}`, "{ provider: a }, { provider: b }");
    const text = await token(key, base.now());
    for (const header of ["x-a", "x-b", "x-a", "x-b"]) expect((await call({ [header]: text })).code).toBe("ok");
    expect(asked).toEqual(["a ada", "b ada"]);
  });

  it("is not taken for what it would say of whom the same key is given to afterwards, or for more", async () => {
    const base = fresh();
    const { call, asked } = await askedOf("keys: { api_keys: { stored: true } }", "{ provider: keys }", base);
    for (const [name, ...scopes] of [["ada"], ["eve"], ["eve", "admin"]] as const) {
      store(base, "keys", name, ...scopes);
      await base.pass(60_000);
      for (let i = 0; i < 2; i++) expect((await call({ "x-api-key": "good-key" })).code).toBe("ok");
    }
    expect(asked).toEqual(["keys ada", "keys eve", "keys eve admin"]);
  });
});

it("an authorizer whose caller left has one call less under way, and is asked next", async () => {
  const asked: string[] = [];
  const answers: (Answered | Promise<Answered>)[] = [new Promise<Answered>(() => {}), allow()];
  const answer = (name: string) => () => {
    asked.push(name);
    return answers.shift()!;
  };
  const draws: number[] = [];
  const { call } = await guarded({
    auth: "{ authorizers: { acl: { cluster: pair } }, rules: [{ match: { prefix: / }, allow: PUBLIC, authorizer: acl }] }",
    clusters: '  pair: { dialect: CONNECT, endpoint_choice: LEAST_PENDING, localities: [{ region: here, endpoints: [{ url: "http://a.example" }, { url: "http://b.example" }] }] }',
    ports: { random: () => draws.shift() ?? 0.5 },
    others: { "a.example": answer("a"), "b.example": answer("b") },
  });
  const leaving = new AbortController();
  // Both are drawn, `a` first: it is taken, unless it has more under way.
  draws.push(0.1, 0.9);
  const left = call({}, { facts: { left: () => leaving.signal } });
  while (asked.length === 0) await settled();
  leaving.abort();
  expect((await left).code).toBe("canceled");
  draws.splice(0, draws.length, 0.1, 0.9);
  expect((await call()).code).toBe("ok");
  expect(asked).toEqual(["a", "a"]);
});
