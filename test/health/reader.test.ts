import { describe, expect, it } from "vitest";
import { encodeOverrides } from "../../worker/core/health/codec.ts";
import { encodeTable } from "../../worker/core/health/codec.ts";
import { healthReader } from "../../worker/health/reader.ts";
import { cluster, endpoint, locality } from "../core/balance/arbitrary.ts";
import { check, health, noon, table } from "../core/health/tables.ts";
import { settled, world, type World } from "./world.ts";

const one = endpoint("https://one");
const users = cluster("users", [locality("eu", { endpoints: [one] })], { healthCheck: check() });
const key = "users/eu/https://one";

function put(ports: World, state: "healthy" | "unhealthy", writtenAt = ports.now()): void {
  ports.documents.set("health", encodeTable(table({ [key]: health({ state }) }, { writtenAt })));
}

function drain(ports: World, ...targets: string[]): void {
  ports.documents.set("overrides", encodeOverrides({ writtenAt: ports.now(), drains: targets.map((target) => ({ target, reason: "", since: noon })), weights: [] }));
}

function reading(ports: World) {
  const reader = healthReader(ports);
  return { ...reader, state: () => reader.states()(users, "eu", one) };
}

describe("an isolate's copy of the health table", () => {
  it("is read by the first call, and again by the first after thirty seconds", async () => {
    const ports = world();
    const reader = reading(ports);
    expect(reader.state()).toBe("unknown");
    put(ports, "unhealthy");
    await reader.freshen();
    expect(reader.state()).toBe("unhealthy");
    put(ports, "healthy");
    await ports.pass(29_999);
    expect(reader.freshen()).toBeUndefined();
    await ports.pass(1);
    await reader.freshen();
    expect(reader.state()).toBe("healthy");
  });

  it("is waited for 25 ms at most; what comes later is taken all the same", async () => {
    const ports = world();
    const reader = reading(ports);
    put(ports, "unhealthy");
    const { promise, resolve } = Promise.withResolvers<void>();
    ports.storing = () => promise;
    let went = false;
    void reader.freshen()!.then(() => (went = true));
    await ports.pass(24);
    expect(went).toBe(false);
    await ports.pass(1);
    expect([went, reader.state()]).toEqual([true, "unknown"]);
    expect(reader.freshen()).toBeUndefined();
    resolve();
    await settled();
    expect(reader.state()).toBe("unhealthy");
  });

  it("is read by every call that comes within those 25 ms, and by none for a second after they were not enough", async () => {
    const ports = world();
    const reader = reading(ports);
    ports.storing = () => new Promise(() => {});
    expect(reader.freshen()).toBeDefined();
    await ports.pass(10);
    expect(reader.freshen()).toBeDefined();
    await ports.pass(20);
    expect(reader.freshen()).toBeUndefined();
    await ports.pass(970);
    expect(reader.freshen()).toBeDefined();
  });

  it("says nothing any more after five minutes, and the revision tells", async () => {
    const ports = world();
    const reader = reading(ports);
    put(ports, "unhealthy");
    await reader.freshen();
    const before = reader.revision();
    await ports.pass(300_001);
    expect(reader.revision()).not.toBe(before);
    expect(reader.state()).toBe("unknown");
  });

  it("has another revision when a state changed or an endpoint was drained, and the same after a heartbeat, or where the store shows no drains for once", async () => {
    const ports = world();
    const reader = reading(ports);
    const revisions = new Set([reader.revision()]);
    const again = async () => {
      await ports.pass(30_000);
      await reader.freshen();
      const size = revisions.size;
      return revisions.add(reader.revision()).size > size;
    };
    put(ports, "healthy");
    expect(await again()).toBe(true);
    put(ports, "healthy");
    expect(await again()).toBe(false);
    put(ports, "unhealthy");
    expect(await again()).toBe(true);
    drain(ports, "users");
    put(ports, "unhealthy");
    expect(await again()).toBe(true);
    expect(reader.state()).toBe("drained");
    ports.documents.delete("overrides");
    expect(await again()).toBe(false);
    expect(reader.state()).toBe("drained");
    put(ports, "unhealthy");
    expect(await again()).toBe(true);
    expect(reader.state()).toBe("unhealthy");
  });

  it("brings the weights that operators set, until they lift them", async () => {
    const ports = world();
    const reader = healthReader(ports);
    const weights = () => [reader.weights()(users, users.localities[0]!), reader.weights()(users, users.localities[0]!, one)];
    const set = async (...weighed: [string, number][]) => {
      ports.documents.set("overrides", encodeOverrides({ writtenAt: ports.now(), drains: [], weights: weighed.map(([target, weight]) => ({ target, weight, since: noon })) }));
      const before = reader.revision();
      await ports.pass(30_000);
      await reader.freshen();
      return reader.revision() !== before;
    };
    expect(weights()).toEqual([1, 1]);
    expect(await set(["users/eu", 7], ["users/eu/https://one", 0])).toBe(true);
    expect(weights()).toEqual([7, 0]);
    expect(await set(["users/eu", 7], ["users/eu/https://one", 0])).toBe(false);
    expect(await set()).toBe(true);
    expect(weights()).toEqual([1, 1]);
  });

  it("is not replaced by an older one that the store's cache shows", async () => {
    const ports = world();
    const reader = reading(ports);
    put(ports, "unhealthy");
    await reader.freshen();
    put(ports, "healthy", noon - 60_000);
    await ports.pass(30_000);
    await reader.freshen();
    expect(reader.state()).toBe("unhealthy");
  });

  it.each([
    ["missing", null],
    ["corrupt", Uint8Array.of(0xff, 1, 2)],
    ["cut-short", Uint8Array.of(8, 1)],
    ["other-schema", Uint8Array.of(8, 9)],
    ["stale", encodeTable(table({}, { writtenAt: noon - 3_600_000 }))],
  ])("stays as it was where the document is %s, which is logged once a minute", async (reason, bytes) => {
    const ports = world();
    const reader = reading(ports);
    put(ports, "unhealthy");
    drain(ports, "users");
    await reader.freshen();
    if (bytes === null) ports.documents.delete("health");
    else for (const name of reason === "stale" ? ["health"] : ["health", "overrides"]) ports.documents.set(name, bytes);
    for (let i = 0; i < 4; i++) {
      await ports.pass(30_000);
      await reader.freshen();
    }
    expect(reader.state()).toBe("drained");
    const entry = { level: "warn", event: "health-unknown", document: "health", reason };
    expect(ports.logged.filter(({ document }) => document === "health")).toEqual([entry, entry]);
  });

  it("fails no call while the store throws", async () => {
    const ports = world();
    const reader = reading(ports);
    ports.storing = () => Promise.reject(new Error("down"));
    await reader.freshen();
    expect(reader.state()).toBe("unknown");
    expect(ports.logged).toEqual([{ level: "warn", event: "health-unknown", document: "store", reason: "Error: down" }]);
  });

  it("is not waited for where there is no store", () => {
    const reader = healthReader({ ...world(), store: null });
    expect(reader.freshen()).toBeUndefined();
    expect(reader.states()(users, "eu", one)).toBe("unknown");
  });
});

describe("an isolate", () => {
  const regional = { ...users, healthCheck: check({ regions: ["weur", "enam"] }) };
  const [paris, newYork] = [{ lat: 48.9, lng: 2.4 }, { lat: 40.7, lng: -74 }];
  async function knowing() {
    const ports = world();
    ports.documents.set("health", encodeTable(table({ [key]: health({ regions: new Map([["weur", health({ state: "unhealthy" })], ["enam", health()]]) }) })));
    const reader = healthReader(ports, { regions: ["weur", "enam"] });
    await reader.freshen();
    return { reader, ports, state: () => reader.states()(regional, "eu", one) };
  }

  it("goes by what the region finds that its callers are near to, once it knows that", async () => {
    const { reader, state } = await knowing();
    expect([reader.here(), state()]).toEqual([null, "healthy"]);
    const before = reader.revision();
    reader.near!(paris);
    expect([reader.here(), state(), reader.revision()]).toEqual(["weur", "unreached", before + 1]);
    reader.near!(paris);
    reader.near!(newYork);
    expect([state(), reader.revision()]).toEqual(["unreached", before + 1]);
    for (let i = 0; i < 2; i++) reader.near!(newYork);
    expect([reader.here(), state(), reader.revision()]).toEqual(["enam", "healthy", before + 2]);
  });

  it("hears of a table in which a region alone changed its mind", async () => {
    const { reader, ports, state } = await knowing();
    reader.near!(newYork);
    const before = reader.revision();
    ports.documents.set("health", encodeTable(table({ [key]: health({ regions: new Map([["weur", health({ state: "unhealthy" })], ["enam", health({ state: "unhealthy" })]]) }) }, { writtenAt: noon + 1000 })));
    await ports.pass(30_000);
    await reader.freshen();
    expect([state(), reader.revision()]).toEqual(["unreached", before + 1]);
  });

  it("does not ask where its callers are where no region probes", () => expect(reading(world()).near).toBeUndefined());
});
