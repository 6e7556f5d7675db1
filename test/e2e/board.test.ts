import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { type LocalCache, serveCache } from "../../cli/serve/cache.ts";
import { call } from "./client.ts";
import { defects, type Proxy, sleep, startProxy } from "./harness.ts";
import { type RawOrigin, replies, startRawOrigin } from "./origin.ts";
import { request, understand, webReply } from "./wire.ts";

const path = "/test.v1.Test/Unary";
const directory = mkdtempSync(join(tmpdir(), "fairlead-board-"));
let cache: LocalCache;
let origins: RawOrigin[];
let proxies: Proxy[];

/** How often the near region was called. */
let asked = 0;
let nearIsWell = false;

beforeAll(async () => {
  cache = serveCache(join(directory, "cache.sock"));
  origins = await Promise.all([startRawOrigin(), startRawOrigin()]);
  const [near, far] = origins.map(({ url }) => url);
  const web = { "content-type": "application/grpc-web+proto" };
  const [well, sick] = [replies(200, web, webReply("x")), replies(200, web, webReply("", "grpc-status:14\r\n"))];
  origins[0]!.answer((response, seen) => {
    asked++;
    return (nearIsWell ? well : sick)(response, seen);
  });
  origins[1]!.answer(well);
  const yaml = `
methods: [{ path: ${path}, kind: UNARY, idempotency: IDEMPOTENT }]
clusters:
  c: { dialect: GRPC_WEB, outlier: { base_ejection: 2s }, localities: [{ region: near, endpoints: [{ url: "${near}/a" }, { url: "${near}/b" }] }, { region: far, priority: 1, endpoints: [{ url: "${far}" }] }] }
routes: [{ match: { service: test.v1.Test }, cluster: c }]
`;
  proxies = await Promise.all([1, 2, 3].map((i) => startProxy("workerd", yaml, {}, i === 3 ? {} : { cache: join(directory, "cache.sock") })));
});

afterAll(async () => {
  await Promise.all(proxies.map((proxy) => proxy.stop()));
  await Promise.all(origins.map((origin) => origin.stop()));
  cache.close();
  rmSync(directory, { recursive: true });
});

async function send(proxy: Proxy, times: number): Promise<number> {
  const before = asked;
  for (let i = 0; i < times; i++) {
    const reply = await call(proxy.port, { path, ...request("grpc-web", "x") });
    expect(understand("grpc-web", reply).code).toBe("ok");
  }
  return asked - before;
}

it("workerds that share a cache tell each other of a dead region, and of its return; one that does not has to find out", async () => {
  const [one, other, alone] = proxies as [Proxy, Proxy, Proxy];
  expect(await send(one, 12)).toBeGreaterThanOrEqual(3);
  await sleep(100);
  expect(await send(other, 10)).toBeLessThanOrEqual(2);
  expect(await send(alone, 3)).toBeGreaterThanOrEqual(3);
  nearIsWell = true;
  for (let i = 0; i < 60 && (await send(one, 1)) === 0; i++) await sleep(100);
  await sleep(1100);
  expect(await send(other, 100)).toBeGreaterThan(2);
  for (const proxy of proxies) expect(defects(proxy.log())).toEqual([]);
});
