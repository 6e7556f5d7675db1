import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { writeEnvelope } from "../../worker/core/protocol/envelope.ts";
import { call, open } from "./client.ts";
import { defects, type Proxy, runtimes, sleep, startProxy } from "./harness.ts";
import { never, type RawOrigin, replies, startRawOrigin } from "./origin.ts";
import { request, trailers, understand, webReply } from "./wire.ts";

const path = "/test.v1.Test/Unary";
const sent = { path, ...request("grpc-web", "x") };
const counted = { ...sent, path: "/test.v1.Test/Counted" };
const good = replies(200, { "content-type": "application/grpc-web+proto" }, webReply("y"));

const yaml = (url: string, breaker: string) => `
methods: [{ path: ${path}, kind: UNARY }, { path: /test.v1.Test/Server, kind: SERVER_STREAM }, { path: /test.v1.Test/Counted, kind: UNARY }]
clusters: { c: { dialect: GRPC_WEB, circuit_breaker: { ${breaker}, shared: true }, localities: [{ region: here, endpoints: [{ url: "${url}" }] }] } }
routes: [{ match: { service: test.v1.Test }, cluster: c, timeout: 40s }]
auth:
  rate_limits: { few: { per: METHOD, calls: 10, period: 3600s, shared: true } }
  rules: [{ match: { method: /test.v1.Test/Counted }, allow: PUBLIC, rate_limits: [few] }, { match: { prefix: / }, allow: PUBLIC }]
`;

async function codes(ports: readonly number[], times: number, what = sent): Promise<Record<string, number>> {
  const ended = await Promise.all(Array.from({ length: times }, async (_, i) => understand("grpc-web", await call(ports[i % ports.length]!, what)).code));
  const counts: Record<string, number> = {};
  for (const code of ended) counts[code] = (counts[code] ?? 0) + 1;
  return counts;
}

describe("a circuit breaker that isolates of a workerd share", () => {
  let origin: RawOrigin;
  let proxy: Proxy;
  beforeAll(async () => {
    origin = await startRawOrigin();
    proxy = await startProxy("workerd", yaml(origin.url, "max_requests: 4, max_pending_requests: 4"), {}, { isolates: 3 });
  });
  afterAll(async () => {
    await proxy.stop();
    await origin.stop();
    expect(defects(proxy.log())).toEqual([]);
    expect(proxy.log()).not.toContain("tally-");
  });

  it("refuses what is beyond it for all of them together, and has room again when calls have ended", async () => {
    const waiting: (() => void)[] = [];
    origin.answer((response, seen) => void waiting.push(() => good(response, seen)));
    const calls = codes([proxy.port], 12);
    for (let i = 0; i < 300 && waiting.length < 4; i++) await sleep(10);
    await sleep(100);
    expect(waiting.length).toBe(4);
    for (const answer of waiting) answer();
    expect(await calls).toEqual({ ok: 4, unavailable: 8 });
    await sleep(100);
    origin.answer(good);
    expect(await codes([proxy.port], 4)).toEqual({ ok: 4 });
  });

  it("counts a stream until its end", async () => {
    const ends: (() => void)[] = [];
    origin.answer((response) => {
      response.writeHead(200, { "content-type": "application/grpc-web+proto" }).write(writeEnvelope(0, Buffer.from("y")));
      ends.push(() => response.end(trailers("grpc-status:0\r\n")));
    });
    const streams = codes([proxy.port], 4, { ...sent, path: "/test.v1.Test/Server" });
    for (let i = 0; i < 300 && ends.length < 4; i++) await sleep(10);
    await sleep(100);
    expect(await codes([proxy.port], 2)).toEqual({ unavailable: 2 });
    for (const end of ends) end();
    expect(await streams).toEqual({ ok: 4 });
    await sleep(200);
    origin.answer(good);
    expect(await codes([proxy.port], 4)).toEqual({ ok: 4 });
  });

  it("has room again when callers have left", async () => {
    origin.answer(never);
    const leaving = Array.from({ length: 4 }, () => open(proxy.port, sent));
    for (let i = 0; i < 300 && origin.seen.length < 4; i++) await sleep(10);
    expect(await codes([proxy.port], 3)).toEqual({ unavailable: 3 });
    for (const { request: left } of leaving) left.socket?.resetAndDestroy();
    await sleep(300);
    origin.answer(good);
    expect(await codes([proxy.port], 4)).toEqual({ ok: 4 });
  });
});

it("objects that were put out of memory, after ten seconds without a message, know what they had counted", async () => {
  const origin = await startRawOrigin();
  const proxy = await startProxy("workerd", yaml(origin.url, "max_requests: 4"), {}, { isolates: 2 });
  try {
    origin.answer(good);
    for (let i = 0; i < 6; i++) expect(await codes([proxy.port], 1, counted)).toEqual({ ok: 1 });
    origin.answer(never);
    const open4 = Array.from({ length: 4 }, () => open(proxy.port, sent));
    for (let i = 0; i < 300 && origin.seen.length < 4; i++) await sleep(10);
    await sleep(13_000);
    expect(await codes([proxy.port], 2, { ...sent, headers: { ...sent.headers, "grpc-timeout": "3S" } })).toEqual({ unavailable: 2 });
    for (const { request: left } of open4) left.socket?.resetAndDestroy();
    await sleep(300);
    origin.answer(good);
    for (let i = 0; i < 8; i++) expect(await codes([proxy.port], 1, counted)).toEqual({ [i < 4 ? "ok" : "resource_exhausted"]: 1 });
  } finally {
    await proxy.stop();
    await origin.stop();
  }
  expect(defects(proxy.log())).toEqual([]);
  expect(proxy.log()).not.toContain("tally-");
});

describe.each(runtimes)("a rate limit that isolates share on %s", (runtime) => {
  const directory = mkdtempSync(join(tmpdir(), "fairlead-tally-"));
  let origin: RawOrigin;
  let proxies: Proxy[];
  beforeAll(async () => {
    origin = await startRawOrigin();
    origin.answer(good);
    const text = yaml(origin.url, "max_requests: 1000");
    const kv = join(directory, "kv.sqlite");
    proxies = runtime === "workerd" ? [await startProxy(runtime, text, {}, { isolates: 3 })] : [await startProxy(runtime, text, {}, { kv }), await startProxy(runtime, text, {}, { kv })];
  });
  afterAll(async () => {
    await Promise.all(proxies.map((proxy) => proxy.stop()));
    await origin.stop();
    rmSync(directory, { recursive: true });
    for (const proxy of proxies) expect(defects(proxy.log())).toEqual([]);
  });

  it("lets exactly as many calls pass as it says, however many isolates they come to at once", async () => {
    const ports = proxies.map(({ port }) => port);
    expect(await codes(ports, 40, counted)).toEqual({ ok: 10, resource_exhausted: 30 });
    for (const proxy of proxies) expect(proxy.log()).not.toContain("tally-failed");
  });
});
