import { describe, expect, it } from "vitest";
import { within, runtimes, sleep } from "../harness.ts";
import { understand } from "../wire.ts";
import { encodeKeys } from "../../../worker/auth/key-source.ts";
import { readKeySet } from "../../../worker/core/auth/keys.ts";
import { answered } from "./answered.ts";
import { attack, bearer } from "./attack.ts";
import { page } from "./config.ts";
import { by, forge } from "./forge.ts";
import { claims, header, headed, keys, now, token } from "./parties.ts";
import { dialectOf, forms } from "./request.ts";
import { stage } from "./stage.ts";

describe.each(runtimes)("on %s", (runtime) => {
  const on = stage(runtime);
  const all = async (one: ReturnType<typeof attack>) => (await Promise.all((one.forms ?? forms).map(async (form) => `${form}: ${answered(form, await on.send(one, form))}`)));
  const every = (code: string) => forms.map((form) => `${form}: ${code}`);

  it("a token that was verified before is nobody's once it has expired", async () => {
    const short = token({ exp: now() + 2 }, "strict");
    const call = bearer("a short token", () => short, { service: "Strict" });
    expect(await all(call)).toEqual(every("ok"));
    const called = on.origin.seen.length;
    await sleep(2100);
    expect(await all(call)).toEqual(every("unauthenticated"));
    expect(on.origin.seen.length).toBe(called);
  });

  it("a token that was verified before is nobody's once its key was withdrawn", async () => {
    const from = { issuer: "https://rotating.id.example", keys: { from: "uri", uri: `${on.keyServer.url}/rotating` } } as const;
    const signed = (key: typeof keys.first) => forge(header({}, key), claims({ iss: from.issuer }), by(key));
    const [first, second] = [signed(keys.first), signed(keys.second)];
    // The copy that isolates share was fetched 28 s ago, and the first key has been withdrawn since.
    await on.proxy.store.put("keys/rotating", encodeKeys(from, { set: readKeySet({ keys: [keys.first.jwk] })!, at: Date.now() - 28_000 }));
    const withFirst = bearer("the first key", () => first, { service: "Rotating" });
    const withSecond = bearer("the second key", () => second, { service: "Rotating" });
    expect(await all(withFirst)).toEqual(every("ok"));
    expect(await all(withSecond)).toEqual(every("unauthenticated"));
    // An isolate waits 36 s at most before it asks anew.
    await sleep(8500);
    expect(await all(withSecond)).toEqual(every("ok"));
    const called = on.origin.seen.length;
    expect(await all(withFirst)).toEqual(every("unauthenticated"));
    expect(on.origin.seen.length).toBe(called);
    expect(on.keyServer.asked.get("/rotating")).toBe(1);
  });

  it("a flood of tokens with random kids has the keys fetched once, and good tokens pass through it", async () => {
    const good = bearer("a good token", () => token());
    expect(await all(good)).toEqual(every("ok"));
    const asked = on.keyServer.asked.get("/main");
    const called = on.origin.seen.length;
    const flood = bearer("a random kid", () => headed({ kid: crypto.randomUUID() }));
    for (let wave = 0; wave < 20; wave++) expect(await all(flood)).toEqual(every("unauthenticated"));
    expect(on.origin.seen.length).toBe(called);
    expect(await all(good)).toEqual(every("ok"));
    expect(on.keyServer.asked.get("/main")).toBe(asked);
    expect(asked).toBe(1);
  });

  it.each(forms)("a caller in %s who calls too often is told when to come back", async (form) => {
    const call = bearer("one of many", () => token({ sub: `often by ${form}` }), { service: "Limited" });
    const codes: string[] = [];
    for (let i = 0; i < 3; i++) codes.push(answered(form, await on.send(call, form)));
    expect(codes).toEqual(["ok", "ok", "resource_exhausted"]);
    expect(on.origin.seen.length).toBe(2);
    const reply = await on.send(call, form);
    const { details } = understand(dialectOf(form), reply);
    const said = dialectOf(form).startsWith("connect") ? details[0]!.type : Buffer.from(details[0]!.value, "base64").toString("latin1");
    expect(said).toContain("google.rpc.RetryInfo");
    if (dialectOf(form) === "connect-unary") expect(Number(reply.headers["retry-after"])).toBeGreaterThan(200);
    expect(answered(form, await on.send(bearer("another", () => token({ sub: `seldom by ${form}` }), { service: "Limited" }), form))).toBe("ok");
  });

  it.each(["connect-unary", "connect-stream", "grpc-web"] as const)("a large request in %s that is refused is read to its end, and answered", async (form) => {
    const large = attack("8 MB", () => ({ message: Buffer.alloc(form === "connect-unary" ? 4_000_000 : 8_000_000) }));
    expect(answered(form, await within(5000, on.send(large, form), "the answer"))).toBe("unauthenticated");
    expect(on.origin.seen.length).toBe(0);
  });

  describe("a preflight", () => {
    const ask = (path: string, origin: string, more: readonly (readonly [string, string])[] = []) =>
      on.send({ service: "guard.v1.Main", sent: () => ({ verb: "OPTIONS", target: () => path, fields: [["origin", origin], ["access-control-request-method", "POST"], ["access-control-request-headers", "authorization,x-user-id"], ...more] }) }, "connect-unary");
    const paths = ["/guard.v1.Main/Get", "/guard.v1.Public/Get", "/guard.v1.Unruled/Get", "/guard.v1.Main/Nobody", "/nowhere", "/"];

    it.each([page, "https://evil.example"])("from %s reaches no origin, and tells nothing of methods", async (origin) => {
      const replies = await Promise.all(paths.flatMap((path) => [ask(path, origin), ask(path, origin, [["authorization", `Bearer ${token()}`]])]));
      const told = replies.map(({ status, headers: { date: _date, ...headers }, body }) => JSON.stringify([status, headers, String(body)]));
      expect(new Set(told).size).toBe(1);
      expect(replies[0]!.status).toBe(origin === page ? 204 : 403);
      expect(replies[0]!.headers["access-control-allow-origin"]).toBe(origin === page ? page : undefined);
      expect(on.origin.seen.length).toBe(0);
    });

    it.each(["null", "", `${page}.evil.example`, `${page}/`, page.toUpperCase(), `${page}, https://evil.example`])("from %j is granted nothing", async (origin) => {
      const { status, headers } = await ask(paths[0]!, origin);
      expect(status).toBe(403);
      expect(Object.keys(headers).filter((name) => name.startsWith("access-control"))).toEqual([]);
      expect(on.origin.seen.length).toBe(0);
    });
  });

  it("a refusal has CORS headers for a page that may call, and repeats nothing of the request", async () => {
    const canary = "canary-0123456789";
    for (const form of forms) {
      const { headers, body } = await on.send(attack("a canary everywhere", () => ({ target: (path) => `${path}?${canary}`, fields: [["authorization", `Bearer ${canary}`], ["x-user-id", canary], ["origin", page]] })), form);
      expect(headers).toMatchObject({ "access-control-allow-origin": page, vary: expect.stringContaining("Origin"), "cache-control": "no-store" });
      expect(JSON.stringify(headers) + String(dialectOf(form) === "grpc-web-text" ? Buffer.from(String(body), "base64") : body)).not.toContain(canary);
    }
    expect(on.proxy.log()).not.toContain(canary);
    expect(on.origin.seen.length).toBe(0);
  });
});
