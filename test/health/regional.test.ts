import { describe, expect, it } from "vitest";
import { decodeTable } from "../../worker/core/health/codec.ts";
import type { ProbeResult } from "../../worker/core/health/judge.ts";
import { targetsOf } from "../../worker/core/health/targets.ts";
import { probeAll } from "../../worker/health/probe-all.ts";
import type { Prober } from "../../worker/health/regional.ts";
import { sweeper } from "../../worker/health/sweep.ts";
import type { Transport } from "../../worker/proxy/ports.ts";
import { cluster, endpoints, locality } from "../core/balance/arbitrary.ts";
import { check, result } from "../core/health/tables.ts";
import { answer, notServing, serving } from "./answers.ts";
import { settled, world, type World } from "./world.ts";

const regions = ["weur", "enam"];
const config = (rest = {}) => ({ clusters: [cluster("users", [locality("eu", { endpoints: endpoints("eu", 2) })], { healthCheck: check({ regions, unhealthyThreshold: 1, ...rest }) })] });
const key = (i: number) => `users/eu/https://eu-${i}`;

function healthOf({ documents }: World, i: number) {
  const read = decodeTable(documents.get("health") ?? null);
  return "value" in read ? read.value.endpoints.get(key(i)) : undefined;
}
const statesOf = (ports: World, i = 0) => {
  const health = healthOf(ports, i);
  return [health?.state, Object.fromEntries([...(health?.regions ?? [])].map(([region, { state }]) => [region, state]))];
};

/** A prober whose regions find endpoints as they are told to, and are silent where they are told nothing. */
function proberWith(found: Readonly<Record<string, (key: string) => boolean>>): Prober {
  return (region, keys) => (found[region] === undefined ? new Promise(() => {}) : Promise.resolve(keys.map((one) => result(one, found[region]!(one)))));
}

describe("a sweep with probers", () => {
  it("writes what each region finds, and probes nothing by itself", async () => {
    const ports = world(() => Promise.reject(new Error("must not be asked")));
    await sweeper(config(), ports, { prober: proberWith({ weur: (one) => one !== key(0), enam: () => true }) })();
    expect(statesOf(ports, 0)).toEqual(["healthy", { weur: "unhealthy", enam: "healthy" }]);
    expect(statesOf(ports, 1)).toEqual(["healthy", { weur: "healthy", enam: "healthy" }]);
    expect(ports.logged).toEqual([{ level: "warn", event: "health-flip", endpoint: key(0), region: "weur", from: "unknown", to: "unhealthy", detail: "NOT_SERVING" }]);
  });

  it("calls down as a whole what all regions find down, though one of them says nothing any more", async () => {
    const ports = world();
    await sweeper(config(), ports, { prober: proberWith({ weur: () => true, enam: () => true }) })();
    await ports.pass(10_000);
    const done = sweeper(config(), ports, { prober: proberWith({ weur: () => false }) })();
    await settled();
    await ports.pass(6001);
    await done;
    expect(statesOf(ports)).toEqual(["unhealthy", { weur: "unhealthy", enam: "healthy" }]);
    expect(ports.logged).toContainEqual({ level: "warn", event: "prober-silent", region: "enam", error: "Error: no answer within 6000 ms" });
  });

  it.each<[string, Prober]>([
    ["are silent", () => new Promise(() => {})],
    ["fail", () => Promise.reject(new Error("Durable Object reset"))],
    ["throw", () => { throw new Error("no such binding"); }],
    ["know none of its endpoints", (_region, keys) => Promise.resolve(keys.map((one) => result(`other/${one}`, false)))],
    ["answer with nonsense", () => Promise.resolve("nothing" as unknown as ProbeResult[])],
  ])("probes by itself where all probers %s, and calls nobody down for that", async (_what, prober) => {
    const asked: (string | null)[] = [];
    const transport: Transport = ({ headers }) => (asked.push(headers.get("fairlead-probe-from")), serving());
    const ports = world(transport);
    const done = sweeper(config(), ports, { prober })();
    for (let i = 0; i < 3; i++) {
      await settled();
      await ports.pass(6001);
    }
    await done;
    expect(asked).toEqual([null, null]);
    expect([statesOf(ports, 0), statesOf(ports, 1)]).toEqual([["healthy", {}], ["healthy", {}]]);
  });

  it("probes by itself what is to be probed from nowhere in particular, and everything where it has no probers", async () => {
    const ports = world(notServing);
    await sweeper(config({ regions: [] }), ports, { prober: () => Promise.reject(new Error("must not be asked")) })();
    expect(statesOf(ports)).toEqual(["unhealthy", {}]);
    const alone = world(notServing);
    await sweeper(config(), alone)();
    expect(statesOf(alone)).toEqual(["unhealthy", {}]);
    expect(alone.logged).toEqual([{ level: "warn", event: "prober-missing", regions }, expect.objectContaining({ event: "health-flip" }), expect.objectContaining({ event: "health-flip" })]);
  });
});

it.each([
  ["in gRPC", check({ regions }), serving],
  ["over HTTP", check({ regions, service: null, httpPath: "/healthz" }), () => Promise.resolve(answer(204, null))],
])("a probe %s says from which region it comes", async (_how, healthCheck, reply) => {
  const asked: (string | null)[] = [];
  const ports = world(({ headers }) => (asked.push(headers.get("fairlead-probe-from")), reply()));
  const targets = [...targetsOf([{ ...config().clusters[0]!, healthCheck }]).values()];
  expect(await probeAll(ports, targets, "apac")).toMatchObject([{ key: key(0), region: "apac", healthy: true }, { key: key(1), region: "apac", healthy: true }]);
  expect(asked).toEqual(["apac", "apac"]);
});
