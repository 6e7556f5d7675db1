import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { codeToHttpStatus } from "../../../worker/core/protocol/code.ts";
import type { Received } from "../client.ts";
import { defects, type Proxy, runtimes, startProxy } from "../harness.ts";
import { type RawOrigin, startRawOrigin } from "../origin.ts";
import { understand, webReply } from "../wire.ts";
import type { Attack } from "./attack.ts";
import { authorizes } from "./authorizer.ts";
import { browserAttacks } from "./browsers.ts";
import { claimAttacks } from "./claims.ts";
import { config } from "./config.ts";
import { controls } from "./controls.ts";
import { exchange } from "./exchange.ts";
import { headAttacks } from "./heads.ts";
import { type KeyServer, startKeyServer } from "./key-server.ts";
import { authorizerAttacks, keySetAttacks } from "./others.ts";
import { apiKey, sha256 } from "./parties.ts";
import { dialectOf, type Form, forms, write } from "./request.ts";
import { shownAttacks } from "./shown.ts";
import { signatureAttacks } from "./signatures.ts";
import { smuggled } from "./smuggled.ts";

const tables: readonly (readonly [what: string, attacks: readonly Attack[]])[] = [
  ["how a token is signed", signatureAttacks],
  ["what a token says", claimAttacks],
  ["how a credential is shown", shownAttacks],
  ["which method is meant", headAttacks],
  ["somebody else's page", browserAttacks],
  ["how keys are served", keySetAttacks],
  ["what an authorizer says", authorizerAttacks],
];

/** What no log may have in it: all that was shown as a credential, but for what is no secret. */
const secrets = new Set<string>(Object.values(apiKey));

describe.each(runtimes)("on %s", (runtime) => {
  let origin: RawOrigin;
  let authorizer: RawOrigin;
  let keyServer: KeyServer;
  let proxy: Proxy;

  beforeAll(async () => {
    [origin, authorizer, keyServer] = await Promise.all([startRawOrigin(), startRawOrigin(), startKeyServer()]);
    authorizer.answer(authorizes);
    const nowhere = await startRawOrigin();
    await nowhere.stop();
    proxy = await startProxy(runtime, config({ origin: origin.url, keyServer: keyServer.url, authorizer: authorizer.url, nowhere: nowhere.url }), { EXPLAIN: "let me see" });
    const stored = [{ name: "app", sha256: sha256(apiKey.stored), scopes: ["read"] }, { name: "old", sha256: sha256(apiKey.revoked), scopes: ["read"], revoked: "2026-11-01T00:00:00Z" }];
    await proxy.store.put("api-keys/keys", Buffer.from(JSON.stringify({ schemaVersion: 1, keys: stored })));
  });
  afterAll(async () => {
    await proxy.stop();
    await Promise.all([origin.stop(), authorizer.stop(), keyServer.stop()]);
  });
  beforeEach(() =>
    origin.answer(async (response, seen) => {
      await seen.body;
      response.writeHead(200, { "content-type": seen.headers["content-type"] ?? "" }).end(webReply("{}"));
    }));

  async function send({ service, sent }: Attack, form: Form): Promise<Received> {
    const written = { form, service, ...sent() };
    for (const [name, value] of written.fields ?? []) for (const text of ["authorization", "x-token", "cookie"].includes(name.trim()) ? value.match(/[A-Za-z0-9_-]{43,}/g) ?? [] : []) secrets.add(text);
    return exchange(proxy.port, write(written));
  }

  describe.each(tables)("%s:", (_what, attacks) => {
    it.each(attacks)("$name is refused as $code, and no origin is called", async (attack) => {
      const replies = await Promise.all((attack.forms ?? forms).map(async (form) => ({ form, reply: await send(attack, form) })));
      for (const { form, reply } of replies) expect(wanted(attack, form)).toContain(`${form}: ${answered(form, reply)}`);
      expect(origin.seen.map(({ url }) => url)).toEqual([]);
    });
  });

  it.each(controls)("$name passes, and the origin is called once", async (control) => {
    for (const form of control.forms ?? forms) {
      origin.answer(async (response, seen) => {
        await seen.body;
        response.writeHead(200, { "content-type": seen.headers["content-type"] ?? "" }).end(webReply("{}"));
      });
      expect(`${form}: ${answered(form, await send(control, form))}`).toBe(`${form}: ok`);
      expect(origin.seen.length).toBe(1);
    }
  });

  it.each(smuggled)("$name does not reach the origin", async (one) => {
    for (const form of one.forms ?? forms) expect(wanted(one, form)).toContain(`${form}: ${answered(form, await send(one, form))}`);
    expect(origin.seen.length).toBe(one.code === "ok" ? (one.forms ?? forms).length : 0);
    for (const { headers, body } of origin.seen) expect(JSON.stringify(headers) + String(await body)).not.toContain(one.contraband);
  });

  it("no log has a credential in it, and none tells of a defect", () => {
    const log = proxy.log();
    expect(log).toContain('"event":"refused"');
    expect([...secrets].filter((secret) => log.includes(secret))).toEqual([]);
    expect(defects(log)).toEqual([]);
  });
});

/** Answers of the runtime's or of HTTP alone; 500 is workerd's own for the verb CONNECT. */
const noHttp = [0, 400, 404, 405, 414, 415, 431, 501];

/** How an answer is to be understood, in a word. */
function answered(form: Form, reply: Received): string {
  if (reply.status === 500 && reply.headers["content-type"] === undefined) return "no-http";
  if (noHttp.includes(reply.status) && reply.headers["content-type"] !== "application/json") return "no-http";
  const dialect = dialectOf(form);
  const { code } = understand(dialect, reply);
  if (code === "ok") return code;
  const hasStatus = dialect === "connect-unary";
  if (code === "unimplemented" && reply.status === 404) return "unimplemented with HTTP 404";
  if (hasStatus && reply.status !== (code === "resource_exhausted" && reply.status === 431 ? 431 : codeToHttpStatus(code as "aborted"))) return `${code} with HTTP ${reply.status}`;
  if (code === "unauthenticated" && hasStatus !== (reply.headers["www-authenticate"]?.startsWith("Bearer") === true)) return `${code} with the challenge ${reply.headers["www-authenticate"]}`;
  return code;
}

function wanted({ code }: Attack, form: Form): string[] {
  return (typeof code === "string" ? [code] : code).map((one) => `${form}: ${one === "unrouted" ? unrouted(form) : one}`);
}

/** A GET is known for a call by its method alone. */
function unrouted(form: Form): string {
  if (form === "connect-get") return "no-http";
  return dialectOf(form) === "connect-unary" ? "unimplemented with HTTP 404" : "unimplemented";
}

describe("the attacks", () => {
  const all = tables.flatMap(([, attacks]) => attacks);

  it("are many, and no two have one name", () => {
    expect(all.length).toBeGreaterThanOrEqual(500);
    expect(new Set(tables.flatMap(([what, attacks]) => attacks.map(({ name }) => `${what}: ${name}`))).size).toBe(all.length);
    expect(all.filter(({ code }) => code !== "no-http").length).toBeGreaterThanOrEqual(400);
  });
});
