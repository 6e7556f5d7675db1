import { describe, expect, it } from "vitest";
import { decodeTable, encodeTable } from "../../worker/core/health/codec.ts";
import { utf8 } from "../../worker/core/protocol/envelope.ts";
import type { HealthTable } from "../../worker/core/health/table.ts";
import { jittered, sweepForAMinute } from "../../worker/health/rounds.ts";
import { sweeper } from "../../worker/health/sweep.ts";
import type { Transport } from "../../worker/proxy/ports.ts";
import { cluster, endpoints, locality } from "../core/balance/arbitrary.ts";
import { check, health, noon, table } from "../core/health/tables.ts";
import { answer, broken, notServing, serving, silent } from "./answers.ts";
import { settled, world, type World } from "./world.ts";

function clusters(count: number, rest = {}) {
  return { clusters: [cluster("users", [locality("eu", { endpoints: endpoints("eu", count) })], { healthCheck: check(rest) })] };
}

function tableOf({ documents }: World): HealthTable {
  const read = decodeTable(documents.get("health") ?? null);
  if ("none" in read) throw new Error(read.none);
  return read.value;
}

const stateOf = (ports: World, i = 0) => tableOf(ports).endpoints.get(`users/eu/https://eu-${i}`)?.state;

describe("a sweep", () => {
  it("takes an endpoint out after three failures, brings it back after two successes, and logs nothing else", async () => {
    let now: Transport = serving;
    const ports = world((request) => now(request));
    const sweep = sweeper(clusters(1), ports);
    const states: unknown[] = [];
    for (const next of [serving, notServing, notServing, notServing, notServing, serving, serving, serving]) {
      now = next;
      await sweep();
      states.push(stateOf(ports));
      await ports.pass(10_000);
    }
    expect(states).toEqual(["healthy", "healthy", "healthy", "unhealthy", "unhealthy", "unhealthy", "healthy", "healthy"]);
    expect(ports.logged).toEqual([
      { level: "warn", event: "health-flip", endpoint: "users/eu/https://eu-0", from: "healthy", to: "unhealthy", detail: "NOT_SERVING" },
      { level: "info", event: "health-flip", endpoint: "users/eu/https://eu-0", from: "unhealthy", to: "healthy", detail: "" },
    ]);
    expect(ports.writes).toHaveLength(3);
  });

  it.each([true, false])("takes an endpoint out after three failures though each sweep is a new object's, if that remembers (%s)", async (remembers) => {
    let now: Transport = serving;
    const ports = world((request) => now(request));
    let held: Uint8Array | undefined;
    const memory = { get: () => Promise.resolve(held), put: async (bytes: Uint8Array) => void (held = bytes) };
    const states: unknown[] = [];
    for (const next of [serving, notServing, notServing, notServing]) {
      now = next;
      await sweeper(clusters(1), ports, remembers ? { memory } : {})();
      states.push(stateOf(ports));
      await ports.pass(10_000);
    }
    expect(states).toEqual(["healthy", "healthy", "healthy", remembers ? "unhealthy" : "healthy"]);
  });

  it("counts on where another isolate stopped", async () => {
    const ports = world(notServing);
    ports.documents.set("health", encodeTable(table({ "users/eu/https://eu-0": health({ failures: 2, successes: 0, probedAt: noon - 60_000 }) })));
    await sweeper(clusters(1), ports)();
    expect(stateOf(ports)).toBe("unhealthy");
  });

  it("writes nothing where nothing changed, but for a heartbeat every two minutes", async () => {
    const ports = world(serving);
    const sweep = sweeper(clusters(3), ports);
    for (let s = 0; s < 3600; s += 10) {
      await sweep();
      await ports.pass(10_000);
    }
    expect(ports.writes.length).toBeGreaterThanOrEqual(30);
    expect(ports.writes.length).toBeLessThan(35);
  });

  it("probes no endpoint before the last half of its interval", async () => {
    let probes = 0;
    const ports = world(() => (probes++, serving()));
    const sweep = sweeper(clusters(1, { intervalMs: 60_000 }), ports);
    for (let s = 0; s < 30; s += 10) {
      await sweep();
      await ports.pass(10_000);
    }
    expect(probes).toBe(1);
  });

  it("has at most six probes under way, and gives up on one after its time-out", async () => {
    let under = 0;
    let most = 0;
    const ports = world(async (request) => {
      most = Math.max(most, ++under);
      const reply = await silent(request);
      under--;
      return reply;
    });
    const done = sweeper(clusters(20), ports)();
    for (let i = 0; i < 4; i++) {
      await settled();
      await ports.pass(1000);
    }
    await done;
    expect(most).toBe(6);
    expect(under).toBe(0);
    expect([...tableOf(ports).endpoints.values()].map(({ state, detail }) => `${state}: ${detail}`)).toEqual(Array(20).fill("unhealthy: no answer within 1000 ms"));
  });

  it("stops after fifty seconds and goes on with the rest the next time", async () => {
    const asked: string[] = [];
    const ports = world((request) => (asked.push(request.endpoint.url), silent(request)));
    const sweep = sweeper(clusters(100, { timeoutMs: 10_000, intervalMs: 60_000 }), ports);
    const rounds: number[] = [];
    for (let round = 0; round < 3; round++) {
      const before = asked.length;
      const done = sweep();
      for (let s = 0; s < 50; s += 10) {
        await settled();
        await ports.pass(10_001);
      }
      await done;
      rounds.push(asked.length - before);
      await ports.pass(5000);
    }
    expect(rounds).toEqual([30, 30, 30]);
    expect(new Set(asked).size).toBe(90);
  });

  it.each([
    ["is larger than 64 KiB", () => Promise.resolve(answer(200, new Uint8Array(70_000))), "the answer is larger than 65536 bytes"],
    ["never ends", () => Promise.resolve(answer(200, new ReadableStream({ pull: (controller) => controller.enqueue(new Uint8Array(4096)) }))), "the answer is larger than 65536 bytes"],
    ["breaks off", () => Promise.resolve(answer(200, new ReadableStream({ start: (controller) => controller.error(new Error("cut")) }))), "Error: cut"],
    ["cannot be had", () => Promise.resolve({ failure: broken }), "the reply broke off"],
    ["makes the transport throw", () => Promise.reject(new Error("defect")), "Error: defect"],
  ] satisfies [string, Transport, string][])("calls an endpoint unhealthy whose answer %s", async (_what, transport, detail) => {
    const ports = world(transport);
    await sweeper(clusters(1), ports)();
    expect(tableOf(ports).endpoints.get("users/eu/https://eu-0")).toMatchObject({ state: "unhealthy", detail });
  });

  it("takes the statuses that the check names for healthy, and no others", async () => {
    let status = 200;
    const ports = world(() => Promise.resolve(answer(status, null)));
    const sweep = sweeper(clusters(1, { service: null, httpPath: "/", httpStatuses: [[204, 204], [300, 399]], unhealthyThreshold: 1, healthyThreshold: 1 }), ports);
    const states: unknown[] = [];
    for (status of [200, 203, 204, 205, 299, 300, 399, 400, 500]) {
      await sweep();
      states.push(stateOf(ports));
      await ports.pass(10_000);
    }
    expect(states.map((state) => state === "healthy")).toEqual([false, false, true, false, false, true, true, false, false]);
  });

  it("begins up to a tenth of its interval later than it is asked to, and still finds every endpoint due", async () => {
    let probes = 0;
    const ports = world(() => (probes++, serving()));
    const randoms = [0.99, 0, 0.5, 0];
    const sweep = jittered(sweeper(clusters(1), ports), 10_000, { ...ports, random: () => randoms.shift()! });
    for (const [i, late] of [990, 0, 500, 0].entries()) {
      const done = sweep();
      await ports.pass(late);
      await done;
      expect([probes, ports.now() - noon]).toEqual([i + 1, i * 10_000 + late]);
      await ports.pass(10_000 - late);
    }
  });

  it("asks over HTTP where the check says so: any 2xx will do", async () => {
    const paths: string[] = [];
    let status = 204;
    const ports = world(({ method, path }) => (paths.push(`${method} ${path}`), Promise.resolve(answer(status, null))));
    const sweep = sweeper(clusters(1, { service: null, httpPath: "/healthz", unhealthyThreshold: 1 }), ports);
    await sweep();
    expect(stateOf(ports)).toBe("healthy");
    status = 302;
    await ports.pass(10_000);
    await sweep();
    expect(tableOf(ports).endpoints.get("users/eu/https://eu-0")).toMatchObject({ state: "unhealthy", detail: "HTTP 302" });
    expect(paths).toEqual(["GET /healthz", "GET /healthz"]);
  });

  it.each(["get", "put"] as const)("goes on in memory while the store cannot %s, and writes when it can again", async (fails) => {
    const ports = world(serving);
    const sweep = sweeper(clusters(1), ports);
    ports.storing = (what) => {
      if (what === fails) throw new Error("down");
    };
    await sweep();
    await ports.pass(10_000);
    await sweep();
    expect(ports.writes).toHaveLength(fails === "put" ? 0 : 2);
    ports.storing = () => {};
    await ports.pass(10_000);
    await sweep();
    expect(tableOf(ports).endpoints.get("users/eu/https://eu-0")).toMatchObject({ state: "healthy", successes: fails === "put" ? 3 : 2 });
  });

  it("calls no endpoint unhealthy because the platform lets it ask no more", async () => {
    let left = 8;
    const ports = world(() => (left-- > 0 ? serving() : Promise.resolve({ failure: { kind: "transport", reached: "maybe", cause: "Error: Too many subrequests." } })));
    await sweeper(clusters(20), ports)();
    expect([...tableOf(ports).endpoints.values()].map(({ state }) => state)).toEqual(Array(8).fill("healthy"));
    expect(ports.logged).toMatchObject([{ event: "health-sweep-cut", unprobed: 12 }]);
  });

  it("hears of an endpoint that says so itself as of any other", async () => {
    const says = () => Promise.resolve(answer(503, utf8(JSON.stringify({ code: "unavailable", message: "Error: Too many subrequests." })), "application/json"));
    const ports = world(says);
    await sweeper(clusters(3), ports)();
    expect([...tableOf(ports).endpoints.values()].map(({ state }) => state)).toEqual(Array(3).fill("unhealthy"));
    expect(ports.logged.filter(({ event }) => event === "health-sweep-cut")).toEqual([]);
  });

  it.each([[10_000, [0, 10, 20, 30, 40, 50]], [25_000, [0, 25]], [60_000, [0]], [3_600_000, [0]]])("is made every %d ms of a cron's minute", async (interval, expected) => {
    const ports = world();
    const at: number[] = [];
    const done = sweepForAMinute(async () => void at.push((ports.now() - noon) / 1000), interval, ports);
    for (let s = 0; s < 60; s += 5) {
      await settled();
      await ports.pass(5000);
    }
    await done;
    expect(at).toEqual(expected);
  });

  it("writes over what is no table, at once, and loses nothing", async () => {
    const ports = world(serving);
    const sweep = sweeper(clusters(1), ports);
    await sweep();
    ports.documents.set("health", Uint8Array.of(1, 2, 3));
    await ports.pass(10_000);
    await sweep();
    expect(tableOf(ports).endpoints.get("users/eu/https://eu-0")).toMatchObject({ since: noon, successes: 2 });
    expect(ports.logged).toMatchObject([{ event: "health-table-unusable", reason: "corrupt" }]);
  });
});
