import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { call, open } from "./client.ts";
import { defects, type Proxy, runtimes, sleep, startProxy } from "./harness.ts";
import { never, type RawOrigin, replies, startRawOrigin } from "./origin.ts";
import { request, understand, webReply } from "./wire.ts";

const sent = { path: "/test.v1.Test/Unary", ...request("grpc-web", "x") };

describe.each(runtimes)("a circuit breaker on %s", (runtime) => {
  let origin: RawOrigin;
  let proxy: Proxy;
  beforeAll(async () => {
    origin = await startRawOrigin();
    proxy = await startProxy(runtime, `
methods: [{ path: ${sent.path}, kind: UNARY }]
clusters: { c: { dialect: GRPC_WEB, circuit_breaker: { max_requests: 2 }, localities: [{ region: here, endpoints: [{ url: "${origin.url}" }] }] } }
routes: [{ match: { service: test.v1.Test }, cluster: c }]
`);
  });
  afterAll(async () => {
    expect(defects(proxy.log())).toEqual([]);
    await proxy.stop();
    await origin.stop();
  });

  it("refuses what is beyond it in the caller's dialect, and has room again when callers have left", async () => {
    origin.answer(never);
    const leaving = [open(proxy.port, sent), open(proxy.port, sent)];
    for (let i = 0; i < 100 && origin.seen.length < 2; i++) await sleep(10);
    expect(understand("grpc-web", await call(proxy.port, sent))).toMatchObject({ code: "unavailable", message: "too many calls are under way" });
    expect(origin.seen.length).toBe(2);
    for (const { request: left } of leaving) left.socket?.resetAndDestroy();
    origin.answer(replies(200, { "content-type": "application/grpc-web+proto" }, webReply("y")));
    await sleep(200);
    for (let i = 0; i < 5; i++) expect(understand("grpc-web", await call(proxy.port, sent)).code).toBe("ok");
  });
});
