import { afterAll, beforeAll, expect, it } from "vitest";
import { decodeTable } from "../../worker/core/health/codec.ts";
import { defects, type Proxy, sleep, startProxy } from "./harness.ts";
import { type RawOrigin, replies, startRawOrigin } from "./origin.ts";

let origin: RawOrigin;
let proxy: Proxy;

const sweptEvery = (interval: string) => `
clusters: { c: { dialect: CONNECT, health_check: { http_path: /, interval: ${interval}, unhealthy_threshold: 2 }, localities: [{ region: here, endpoints: [{ url: "${origin.url}" }] }] } }
routes: [{ match: { prefix: / }, cluster: c }]
`;

beforeAll(async () => {
  origin = await startRawOrigin();
  origin.answer(replies(204, {}));
  proxy = await startProxy("workerd", sweptEvery("1s"), {}, { sweeper: true });
});

afterAll(async () => {
  expect(defects(proxy.log())).toEqual([]);
  await proxy.stop();
  await origin.stop();
});

it("an object that the cron has waked sweeps by its alarm, each second, and remembers the failures before", async () => {
  const state = async () => {
    const read = decodeTable(await proxy.store.get("health"));
    return "value" in read ? [...read.value.endpoints.values()].map(({ state, failures }) => [state, failures])[0] : undefined;
  };
  for (let i = 0; i < 100 && origin.seen.length < 3; i++) await sleep(100);
  expect(origin.seen.length).toBe(3);
  expect(await state()).toEqual(["healthy", 0]);
  origin.answer(replies(503, {}));
  for (let i = 0; i < 50 && (await state())?.[0] !== "unhealthy"; i++) await sleep(100);
  expect(await state()).toEqual(["unhealthy", 2]);
  expect(origin.seen.length).toBeLessThanOrEqual(3);
});

it("an object whose alarm a config with a longer interval has set sweeps in the new config's interval once it is waked", async () => {
  origin.answer(replies(204, {}));
  await proxy.reload(sweptEvery("3600s"));
  // The alarm of a second rings once more, finds nothing due, and is set for in an hour.
  await sleep(3000);
  expect(origin.seen.length).toBe(0);
  await proxy.reload(sweptEvery("1s"));
  for (let i = 0; i < 80 && origin.seen.length < 3; i++) await sleep(100);
  expect(origin.seen.length).toBeGreaterThanOrEqual(3);
}, 30_000);
