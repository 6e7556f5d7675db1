import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { call, type Received } from "./client.ts";
import { defects, type Proxy, runtimes, startProxy } from "./harness.ts";
import { type Answer, type RawOrigin, never, replies, startRawOrigin } from "./origin.ts";
import { request, understand, webReply } from "./wire.ts";

const good = replies(200, { "content-type": "application/grpc-web+proto" }, webReply("x"));
const unavailable = replies(503, { "content-type": "text/plain" }, "down");
const inTrailers = replies(200, { "content-type": "application/grpc-web+proto" }, webReply("", "grpc-status:14\r\ngrpc-message:down\r\n"));
const reset: Answer = (response) => void response.socket!.resetAndDestroy();

/** Two localities: `near` comes first, `far` only where near is avoided. A route of its own for each test keeps what is learnt apart. */
function config(near: string, far: string, refused: string): string {
  const cluster = (first: string) => `{ dialect: GRPC_WEB, outlier: { base_ejection: 60s }, localities: [{ region: near, endpoints: [{ url: "${first}" }] }, { region: far, priority: 1, endpoints: [{ url: "${far}" }] }] }`;
  const names = ["a1", "a2", "a3", "b1", "b2", "b3", "c", "d", "e", "f", "g", "h", "i"];
  return `
methods:
  - { path: /test.v1.Test/Safe, kind: UNARY, idempotency: NO_SIDE_EFFECTS }
  - { path: /test.v1.Test/Again, kind: UNARY, idempotency: IDEMPOTENT }
  - { path: /test.v1.Test/Once, kind: UNARY }
  - { path: /test.v1.Test/List, kind: SERVER_STREAM, idempotency: IDEMPOTENT }
clusters: { ${names.map((name) => `${name}: ${cluster(near)}`).join(", ")}, refused: ${cluster(refused)} }
routes:
${[...names, "refused"].map((name) => `  - { match: { service: test.v1.Test, base_path: /${name} }, cluster: ${name} }`).join("\n")}
explain: { anybody: true }
`;
}

/** A port on which nobody listens. */
async function closedPort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  return port;
}

describe.each(runtimes)("a call that fails on %s", (runtime) => {
  let near: RawOrigin;
  let far: RawOrigin;
  let proxy: Proxy;
  beforeAll(async () => {
    [near, far] = await Promise.all([startRawOrigin(), startRawOrigin()]);
    proxy = await startProxy(runtime, config(near.url, far.url, `http://127.0.0.1:${await closedPort()}`));
  });
  afterAll(async () => {
    await proxy.stop();
    await Promise.all([near.stop(), far.stop()]);
    expect(defects(proxy.log())).toEqual([]);
  });
  beforeEach(() => {
    near.answer(good);
    far.answer(good);
  });

  const send = (cluster: string, method: string, more: Record<string, string> = {}, data: string | Uint8Array = "x"): Promise<Received> => {
    const { headers, body } = request(method === "List" ? "connect-stream" : "connect-unary", data as string);
    return call(proxy.port, { path: `/${cluster}/test.v1.Test/${method}`, headers: { ...headers, ...more }, body });
  };

  it.each([["HTTP 503", unavailable, "a1"], ["a status in the trailers", inTrailers, "a2"], ["a reset connection", reset, "a3"]] as const)("by %s goes to another region, if its method may be repeated", async (_name, failing, cluster) => {
    near.answer(failing);
    for (const method of ["Again", "Safe"]) expect((await send(cluster, method)).status).toBe(200);
    expect(far.seen.map(({ headers }) => headers["grpc-previous-rpc-attempts"])).toEqual(["1", "1"]);
    // Deno itself sends a request again where a kept connection breaks.
    expect(near.seen.length).toBeGreaterThanOrEqual(2);
    expect(await far.seen[0]!.body).toEqual(await near.seen[0]!.body);
  });

  it.each([["HTTP 503", unavailable, "b1"], ["a status in the trailers", inTrailers, "b2"], ["a reset connection", reset, "b3"]] as const)("by %s is not repeated where that could be a second time", async (_name, failing, cluster) => {
    near.answer(failing);
    expect(understand("connect-unary", await send(cluster, "Once")).code).toBe("unavailable");
    expect([near.seen.length, far.seen.length]).toEqual([1, 0]);
  });

  it("as no connection was made is repeated whatever its method, where the runtime can tell", async () => {
    expect((await send("refused", "Once")).status).toBe(runtime === "deno" ? 200 : 503);
    expect((await send("refused", "Again")).status).toBe(200);
  });

  it("with a body of more than 64 KiB is not repeated", async () => {
    near.answer(unavailable);
    expect((await send("c", "Again", {}, "x".repeat(65_537))).status).toBe(503);
    expect(far.seen).toHaveLength(0);
  });

  it("and whose origin wants no other attempt is not repeated", async () => {
    near.answer(replies(200, { "content-type": "application/grpc-web+proto" }, webReply("", "grpc-status:14\r\ngrpc-retry-pushback-ms:-1\r\n")));
    expect((await send("d", "Again")).status).toBe(503);
    expect(far.seen).toHaveLength(0);
  });

  it("everywhere is told as it failed last", async () => {
    near.answer(inTrailers);
    far.answer(inTrailers);
    expect(understand("connect-unary", await send("e", "Again"))).toMatchObject({ code: "unavailable", message: "down" });
    expect([near.seen.length, far.seen.length].toSorted()).toEqual([1, 2]);
  });

  it("before a stream has begun goes to another region, too", async () => {
    near.answer(reset);
    expect(understand("connect-stream", await send("f", "List")).messages).toHaveLength(1);
  });

  it("five times at one endpoint has it left alone", async () => {
    near.answer(unavailable);
    for (let i = 0; i < 60; i++) expect((await send("g", "Again")).status).toBe(200);
    expect([near.seen.length, far.seen.length]).toEqual([5, 60]);
    const { headers } = await send("g", "Once", { "fairlead-explain": "1" });
    expect(String(headers["fairlead-explanation"])).toMatch(/"region":"near","share":0,"out":"unfit"/);
  });

  it("by silence is overtaken by another attempt, and the silent endpoint is left alone", async () => {
    near.answer(never);
    for (const [method, most] of [["Safe", 700], ["Again", 1500]] as const) {
      const { status, ms } = await send("h", method);
      expect([status, ms < most]).toEqual([200, true]);
    }
    for (let i = 0; i < 30; i++) await send("h", "Safe");
    near.answer(good);
    expect((await send("h", "Once")).status).toBe(200);
    expect(near.seen).toHaveLength(0);
  });

  it("says in its explanation where else it was sent", async () => {
    near.answer(unavailable);
    const { rules, picked } = JSON.parse(String((await send("i", "Again", { "fairlead-explain": "1" })).headers["fairlead-explanation"])) as { rules: { rule: string; says: string }[]; picked: { region: string } };
    expect([picked.region, rules.at(-1)!.rule, rules.at(-1)!.says.includes("in near")]).toEqual(["far", "retry", true]);
  });
});
