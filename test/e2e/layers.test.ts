import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { createProxy, decodeArtifact, type Layer, type LogEntry, type Ports, type Proxy, refuse } from "../../worker/index.ts";
import { fetchTransport, globalFetch } from "../../worker/transport/fetch.ts";
import type { Received } from "./client.ts";
import { compileText, testConfig } from "./harness.ts";
import { type RawOrigin, replies, startRawOrigin } from "./origin.ts";
import { type CallerDialect, callerDialects, request, understand, webReply } from "./wire.ts";

/** The ports under Node: what a door of one's own looks like. */
function nodePorts(log: (entry: LogEntry) => void): Ports {
  return {
    transport: fetchTransport({ through: () => globalFetch, reached: () => "maybe", decodes: new Set(["gzip", "br", "deflate"]), resends: false }),
    now: () => Date.now(),
    after(ms, then) {
      const timer = setTimeout(then, ms);
      return () => clearTimeout(timer);
    },
    endsWithReply: false,
    random: () => Math.random(),
    secret: () => undefined,
    fetch: () => Promise.resolve({ failure: "nothing can be fetched" }),
    limiter: () => undefined,
    tally: null,
    store: null,
    board: null,
    log,
  };
}

async function received(response: Response): Promise<Received> {
  const body = Buffer.from(await response.arrayBuffer());
  return { status: response.status, headers: Object.fromEntries(response.headers), body, cut: false, ms: 0 };
}

describe("layers of one's own", () => {
  let origin: RawOrigin;
  const log: LogEntry[] = [];
  beforeAll(async () => {
    origin = await startRawOrigin();
  });
  afterAll(() => origin.stop());
  beforeEach(() => {
    log.length = 0;
    origin.answer(replies(200, { "content-type": "application/grpc-web+proto", "x-head": "origin" }, webReply("x", "grpc-status:0\r\nx-end:1\r\n")));
  });

  async function proxy(...layers: Layer[]): Promise<Proxy> {
    const { config } = await decodeArtifact(await compileText(testConfig(origin.url)));
    return createProxy({ config, ports: nodePorts((entry) => log.push(entry)), layers });
  }

  async function callThrough(to: Proxy, dialect: CallerDialect, more: Record<string, string> = {}): Promise<Received> {
    const { headers, body } = request(dialect, "x");
    const method = dialect === "connect-stream" ? "Server" : "Unary";
    const sent = new Request(`http://proxy.example/web/test.v1.Test/${method}`, { method: "POST", headers: { ...headers, ...more }, body: new Uint8Array(body) });
    return received(await to.fetch(sent, { keep: () => {}, clientAddress: () => "10.0.0.1", place: () => null, clientCertificate: () => null, left: () => null }));
  }

  const tenant: Layer = {
    name: "tenant",
    slot: "arrival",
    handle: async (call, next) => (call.metadata.has("x-tenant") ? next(call) : refuse(call, "unauthenticated", "who are you?")),
  };

  it.each(callerDialects)("an arrival layer refuses in %s, and no origin is called", async (dialect) => {
    const to = await proxy(tenant);
    expect(understand(dialect, await callThrough(to, dialect))).toMatchObject({ code: "unauthenticated", message: "who are you?" });
    expect(origin.seen).toHaveLength(0);
    expect(understand(dialect, await callThrough(to, dialect, { "x-tenant": "a" })).code).toBe("ok");
    expect(origin.seen).toHaveLength(1);
  });

  it.each(callerDialects)("a departure layer adds a header to what goes to the origin in %s, and one to the reply", async (dialect) => {
    const stamp: Layer = {
      name: "stamp",
      slot: "departure",
      async handle(call, next) {
        call.metadata.set("x-stamp", call.facts.clientAddress() ?? "");
        const reply = await next(call);
        reply.headers.set("x-stamped", "yes");
        return reply;
      },
    };
    const reply = await callThrough(await proxy(stamp), dialect);
    expect(origin.seen[0]!.headers["x-stamp"]).toBe("10.0.0.1");
    expect([reply.headers["x-stamped"], reply.headers["x-head"]]).toEqual(["yes", "origin"]);
  });

  it("arrival layers come before departure layers, the first of a slot outermost", async () => {
    const order: string[] = [];
    const noted = (name: string, slot: Layer["slot"]): Layer => ({
      name,
      slot,
      async handle(call, next) {
        order.push(`${name} in`);
        const reply = await next(call);
        order.push(`${name} out`);
        return reply;
      },
    });
    await callThrough(await proxy(noted("c", "departure"), noted("a", "arrival"), noted("b", "arrival")), "grpc-web");
    expect(order).toEqual(["a in", "b in", "c in", "c out", "b out", "a out"]);
  });

  it.each(callerDialects)("a layer sees how a call in %s ended", async (dialect) => {
    const ends: Promise<string>[] = [];
    const watch: Layer = {
      name: "watch",
      slot: "arrival",
      async handle(call, next) {
        const reply = await next(call);
        ends.push(Promise.resolve(reply.end).then(({ code, metadata }) => `${call.path} ${code} ${metadata.get("x-end")}`));
        return reply;
      },
    };
    await callThrough(await proxy(watch), dialect);
    expect(await Promise.all(ends)).toEqual([`/test.v1.Test/${dialect === "connect-stream" ? "Server" : "Unary"} ok 1`]);
  });

  it.each(callerDialects)("what a layer throws is internal to a caller in %s, and a defect in the log", async (dialect) => {
    const broken: Layer = { name: "broken", slot: "departure", handle: () => Promise.reject(new Error("secret")) };
    const reply = await callThrough(await proxy(broken), dialect);
    expect(understand(dialect, reply).code).toBe("internal");
    expect(reply.body.toString()).not.toContain("secret");
    expect(log).toMatchObject([{ level: "error", event: "defect", error: "Error: secret" }]);
  });
});
