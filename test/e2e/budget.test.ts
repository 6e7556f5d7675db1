import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { call, open } from "./client.ts";
import { defects, type Proxy, runtimes, sleep, startProxy, testConfig } from "./harness.ts";
import { never, type RawOrigin, replies, startRawOrigin } from "./origin.ts";
import { request, webReply } from "./wire.ts";

const web = { "content-type": "application/grpc-web+proto" };
const held = 1 << 20;

/** What the proxy holds at once is bounded; these calls would each leave something behind, if anything did. */
describe.each(runtimes)("the budget on %s", (runtime) => {
  let origin: RawOrigin;
  let proxy: Proxy;
  beforeAll(async () => {
    origin = await startRawOrigin();
    proxy = await startProxy(runtime, testConfig(origin.url, { route: "timeout: 2s, retry: { max_attempts: 1 }", top: `limits: { held_bytes: ${held}, request_message_bytes: ${held / 2}, response_message_bytes: ${held / 2} }` }));
  });
  afterAll(async () => {
    await proxy.stop();
    await origin.stop();
    expect(defects(proxy.log())).toEqual([]);
  });

  /** Whether a call that needs most of the budget goes through. */
  async function isBack(): Promise<boolean> {
    origin.answer(replies(200, web, webReply("x")));
    const { headers, body } = request("grpc-web", "x".repeat(held / 2 - 10_000));
    return (await call(proxy.port, { path: "/connect/test.v1.Test/Unary", headers, body: [body] })).headers["grpc-status"] !== "8" && origin.seen.length === 1;
  }

  it("is back once streams have begun, though their requests were large", async () => {
    origin.answer((response) => void response.writeHead(200, { "content-type": "application/connect+proto" }).flushHeaders());
    const { headers, body } = request("connect-stream", "x".repeat(60_000));
    const streams = Array.from({ length: 30 }, () => open(proxy.port, { path: "/connect/test.v1.Test/Server", headers, body }));
    await Promise.all(streams.map(({ head }) => head));
    expect(await isBack()).toBe(true);
    for (const { request: stream } of streams) stream.destroy();
  });

  it("is back at the deadline where readers of large replies stall", async () => {
    origin.answer(replies(200, web, webReply("x".repeat(held / 2 - 100))));
    const { headers, body } = request("grpc-web-text", "x");
    const stalled = [0, 1].map(() => open(proxy.port, { path: "/web/test.v1.Test/Unary", headers, body }));
    for (const { head } of stalled) (await head.catch(() => undefined))?.pause();
    await sleep(2500);
    expect(await isBack()).toBe(true);
    for (const { request: reader } of stalled) reader.destroy();
  });

  it("is back at the latest at the deadline of callers that left", async () => {
    origin.answer(never);
    const { headers, body } = request("connect-unary", "x".repeat(60_000));
    const calls = Array.from({ length: 30 }, () => open(proxy.port, { path: "/web/test.v1.Test/Unary", headers, body }));
    await sleep(300);
    for (const { request: left } of calls) left.destroy();
    await sleep(2300);
    expect(await isBack()).toBe(true);
  });
});
