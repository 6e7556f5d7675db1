import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { decodeTable } from "../../worker/core/health/codec.ts";
import type { EndpointHealth } from "../../worker/core/health/table.ts";
import { defects, type Proxy, sleep, startProxy } from "./harness.ts";
import { type RawOrigin, replies, startRawOrigin } from "./origin.ts";

const places = { paris: { latitude: "48.9", longitude: "2.4" }, newYork: { latitude: "40.7", longitude: "-74" } };

/** One origin, which probes from Europe cannot reach below /cut, and none below /dead. */
describe.each([{ by: "the cron", sweeper: false }, { by: "an object", sweeper: true }])("probes from several regions, swept by $by", ({ sweeper }) => {
  let origin: RawOrigin;
  let proxy: Proxy;
  const asked = new Set<string>();
  const calls: RawOrigin["seen"][number]["headers"][] = [];
  beforeAll(async () => {
    origin = await startRawOrigin();
    origin.answer((response, seen) => {
      const [, endpoint = "", ...path] = seen.url.split("/");
      if (path.join("/") !== "healthz") {
        calls.push(seen.headers);
        return replies(200, { "content-type": "application/json" }, `"${endpoint}"`)(response, seen);
      }
      const from = String(seen.headers["fairlead-probe-from"]);
      asked.add(`${endpoint} ${from}`);
      return replies(endpoint === "dead" || (endpoint === "cut" && from === "weur") ? 503 : 204, {})(response, seen);
    });
    const check = "{ http_path: /healthz, interval: 1s, unhealthy_threshold: 2, regions: [weur, enam, oc] }";
    proxy = await startProxy("workerd", `
explain: { anybody: true }
methods: [{ path: /test.v1.Test/Get, kind: UNARY, idempotency: NO_SIDE_EFFECTS }]
clusters: { c: { dialect: CONNECT, slow_start: 0s, codecs: [JSON], health_check: ${check}, localities: [{ region: here, endpoints: [${["well", "also", "cut", "dead"].map((name) => `{ url: "${origin.url}/${name}" }`).join(", ")}] }] } }
routes: [{ match: { prefix: / }, cluster: c }]
`, {}, { sweeper, cfHeader: "x-test-cf" });
  });
  afterAll(async () => {
    await proxy.stop();
    await origin.stop();
    expect(defects(proxy.log())).toEqual([]);
  });

  async function health(name: string): Promise<EndpointHealth | undefined> {
    const read = decodeTable(await proxy.store.get("health"));
    return "value" in read ? read.value.endpoints.get(`c/here/${origin.url}/${name}`) : undefined;
  }

  /** Which endpoints answered so many calls from a place, and what the last one was told of probes. */
  async function callsFrom(place: keyof typeof places, count: number): Promise<{ by: string[]; says: string | undefined }> {
    const by = new Set<string>();
    let says: string | undefined;
    for (let i = 0; i < count; i++) {
      const response = await fetch(`${proxy.url}/test.v1.Test/Get`, {
        method: "POST",
        headers: { "content-type": "application/json", "connect-protocol-version": "1", "fairlead-explain": "1", "fairlead-probe-from": "weur", "x-test-cf": JSON.stringify({ colo: "XXX", ...places[place] }) },
        body: "{}",
      });
      by.add(JSON.parse(await response.text()) as string);
      const { rules } = JSON.parse(response.headers.get("fairlead-explanation") ?? "{}") as { rules: { rule: string; says: string }[] };
      says = rules.find(({ rule }) => rule === "probes")?.says;
    }
    return { by: [...by].sort(), says };
  }

  it("find an endpoint down from one region, and another from all", async () => {
    for (let i = 0; i < 100 && (await health("cut"))?.regions.size !== 3; i++) await sleep(100);
    const states = async (name: string) => {
      const found = await health(name);
      return [found?.state, ...[...(found?.regions ?? [])].map(([region, { state, detail }]) => `${region} ${state} ${detail}`.trim())];
    };
    expect(await states("well")).toEqual(["healthy", "weur healthy", "enam healthy", "oc healthy"]);
    expect(await states("cut")).toEqual(["healthy", "weur unhealthy HTTP 503", "enam healthy", "oc healthy"]);
    expect(await states("dead")).toEqual(["unhealthy", "weur unhealthy HTTP 503", "enam unhealthy HTTP 503", "oc unhealthy HTTP 503"]);
    expect([...asked].sort()).toEqual(["also", "cut", "dead", "well"].flatMap((name) => ["enam", "oc", "weur"].map((region) => `${name} ${region}`)));
  });

  it("keep an isolate that is near that region from it, and no other", async () => {
    const near = await callsFrom("paris", 20);
    expect(calls.filter((headers) => "fairlead-probe-from" in headers)).toEqual([]);
    expect(near.by).toEqual(["also", "well"]);
    expect(near.says).toBe(`weur is near: probes from there fail at ${origin.url}/cut in here, so it is out, though others reach it`);
    // One isolate serves both places here: it has to be told often enough where it is now.
    await callsFrom("newYork", 21);
    const far = await callsFrom("newYork", 40);
    expect(far.by).toEqual(["also", "cut", "well"]);
    expect(far.says).toBe("enam is near: an endpoint is out where probes from there fail");
  });
});
