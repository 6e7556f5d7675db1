import { describe, expect, it } from "vitest";
import { pickEndpoint } from "../../worker/core/balance/pick.ts";
import { nowhere } from "../../worker/core/balance/place.ts";
import { route } from "../core/balance/arbitrary.ts";
import { settled, world } from "../health/world.ts";
import { allIsWell, board, broken, good, type Isolate, isolate, nearIsDead } from "./shared-board.ts";

describe("isolates that share a board", () => {
  it("learn of a dead region from each other: three calls of three isolates eject it for all", async () => {
    const [ports, shared] = [world(), board()];
    const isolates = Array.from({ length: 5 }, (_, seed) => isolate(ports, shared, seed));
    const regions: string[] = [];
    for (const { call } of isolates) {
      regions.push(await call(nearIsDead));
      await ports.pass(100);
    }
    expect(regions.filter((region) => region === "near").length).toBeLessThanOrEqual(4);
    await ports.pass(1000);
    for (const { call } of isolates) expect(await call(nearIsDead)).toBe("far");
    const alone = Array.from({ length: 5 }, (_, seed) => isolate(ports, null, seed));
    for (const { call } of alone) expect(await call(nearIsDead)).toBe("near");
  });

  it("try an ejected region with one call for all of them, and all hear that it is back", async () => {
    const [ports, shared] = [world(), board()];
    const isolates = Array.from({ length: 4 }, (_, seed) => isolate(ports, shared, seed));
    for (let i = 0; i < 6; i++) {
      await isolates[i % 4]!.call(nearIsDead);
      await ports.pass(1000);
    }
    const until = Math.max(...isolates[0]!.chooser.snapshot().clusters[0]!.localities[0]!.seen.map(({ ejectedUntil }) => ejectedUntil));
    await ports.pass(until - ports.now());
    const trial = isolates[1]!;
    await trial.chooser.freshen(trial.keep);
    const picked = pickEndpoint(trial.chooser.snapshot(), 0, { route: route(), place: nowhere, key: undefined }, () => 0, { tried: [], repeatable: true })!;
    trial.chooser.began(picked, trial.keep);
    await settled();
    expect([picked.region, picked.trial > 0]).toEqual(["near", true]);
    await ports.pass(1000);
    for (const { call } of [isolates[0]!, isolates[2]!, isolates[3]!]) expect(await call(allIsWell)).toBe("far");
    trial.chooser.ended(0, picked, good, trial.keep);
    await settled();
    await ports.pass(1000);
    await isolates[2]!.chooser.freshen(isolates[2]!.keep);
    const states = isolates[2]!.chooser.snapshot().clusters[0]!.localities[0]!.endpoints.map(({ state }) => state).sort();
    expect(states).toEqual(["probation", "probation", "unknown"]);
  });

  it("log every endpoint of a region that goes, where it was found out, and nothing where it was heard", async () => {
    const [ports, elsewhere, shared] = [world(), world(), board()];
    const one = isolate(ports, shared);
    for (let i = 0; i < 4; i++) await one.call(nearIsDead);
    const entry = { level: "warn", event: "endpoint-ejected", cluster: "c", region: "near", ms: 30_000, by: "transport", code: "unavailable" };
    expect(ports.logged).toEqual([0, 1, 2].map((i) => ({ ...entry, endpoint: `https://near-${i}` })));
    const other = isolate(elsewhere, shared, 2);
    expect([await other.call(nearIsDead), await other.call(nearIsDead)]).toEqual(["near", "far"]);
    expect(elsewhere.logged).toEqual([]);
  });

  it("write nothing while all is well, and read once a second at most", async () => {
    const [ports, shared] = [world(), board()];
    const { call } = isolate(ports, shared);
    for (let i = 0; i < 100; i++) {
      await call(allIsWell);
      await ports.pass(100);
    }
    expect([shared.writes, shared.reads]).toEqual([0, 10]);
  });

  it("write a failure in a row once a second at most, an ejection at once", async () => {
    const [ports, shared] = [world(), board()];
    const { call } = isolate(ports, shared);
    let i = 0;
    for (; i < 20; i++) {
      await call(() => (i % 4 === 0 ? broken : good));
      await ports.pass(100);
    }
    expect(shared.writes).toBeGreaterThan(0);
    expect(shared.writes).toBeLessThanOrEqual(3);
    const before = shared.writes;
    for (i = 0; i < 3; i++) await call(() => broken);
    expect(shared.writes - before).toBeGreaterThanOrEqual(1);
  });

  it("write again what another one's write took away", async () => {
    const [ports, shared] = [world(), board()];
    const [one, other] = [isolate(ports, shared, 1), isolate(ports, shared, 2)];
    for (let i = 0; i < 4; i++) await one.call(nearIsDead);
    expect([await other.call(nearIsDead), await other.call(nearIsDead)]).toEqual(["near", "far"]);
    shared.bytes = null;
    await ports.pass(1000);
    for (const { call } of [one, other, one, other]) await call(allIsWell);
    const third = isolate(ports, shared, 3);
    expect(await third.call(nearIsDead)).toBe("far");
  });
});

it("an isolate that knows of an outage of long ago takes nothing back that younger ones have found out since", async () => {
  const [ports, shared] = [world(), board()];
  const pair = [isolate(ports, shared, 1), isolate(ports, shared, 2)];
  const [old] = pair as [Isolate, Isolate];
  const each = async (isolates: readonly Isolate[], times: number, outcomeOf: typeof allIsWell | typeof nearIsDead) => {
    const went: string[] = [];
    for (let i = 0; i < times; i++) {
      for (const one of isolates) went.push(await one.call(outcomeOf));
      await ports.pass(1000);
    }
    return went;
  };
  await each(pair, 6, nearIsDead);
  await each(pair, 120, allIsWell);
  for (let i = 0; i < 20; i++) {
    await old.call(allIsWell);
    await ports.pass(60_000);
  }
  // What nobody has written for ten minutes, a cache forgets.
  shared.bytes = null;
  const young = [isolate(ports, shared, 11), isolate(ports, shared, 12)];
  await each(young, 3, nearIsDead);
  expect(await each([old, ...young], 3, nearIsDead)).toEqual(Array.from({ length: 9 }, () => "far"));
});

describe("one isolate whose own network is broken", () => {
  it("leaves the region alone, and takes no call of the others away from it", async () => {
    const [ports, shared] = [world(), board()];
    const bad = isolate(ports, shared, 9);
    const others = Array.from({ length: 5 }, (_, seed) => isolate(ports, shared, seed));
    const regions = new Set<string>();
    for (let i = 0; i < 60; i++) {
      await bad.call(nearIsDead);
      for (const { call } of others) regions.add(await call(allIsWell));
      await ports.pass(1000);
    }
    expect([...regions]).toEqual(["near"]);
    expect(ports.logged.length).toBeGreaterThan(0);
  });
});

describe("a board that does not work", () => {
  it("keeps a call for 10 ms at most; what comes later is taken all the same", async () => {
    const [ports, shared] = [world(), board()];
    const one = isolate(ports, shared, 1);
    for (let i = 0; i < 4; i++) await one.call(nearIsDead);
    await isolate(ports, shared, 3).call(nearIsDead);
    const other = isolate(ports, shared, 2);
    const { promise, resolve } = Promise.withResolvers<void>();
    shared.doing = () => promise;
    let went = false;
    void other.chooser.freshen(other.keep)!.then(() => (went = true));
    await ports.pass(9);
    expect(went).toBe(false);
    await ports.pass(1);
    expect(went).toBe(true);
    resolve();
    await settled();
    expect(other.chooser.snapshot().clusters[0]!.localities[0]!.endpoints.map(({ state }) => state)).toEqual(["ejected", "ejected", "ejected"]);
  });

  it("fails no call, is left alone for thirty seconds, and is spoken of", async () => {
    const [ports, shared] = [world(), board()];
    shared.doing = () => {
      throw new Error("no cache was configured");
    };
    const { call } = isolate(ports, shared);
    for (let i = 0; i < 290; i++) {
      await call(allIsWell);
      await ports.pass(100);
    }
    expect(shared.reads).toBe(1);
    expect(ports.logged).toEqual([{ level: "warn", event: "board-unusable", error: "Error: no cache was configured" }]);
    await ports.pass(1000);
    await call(allIsWell);
    expect(shared.reads).toBe(2);
  });

  it("is left alone for five minutes where it keeps nothing: after three reads that find nothing within a minute of a write", async () => {
    const [ports, shared] = [world(), board()];
    const { call } = isolate(ports, shared);
    const forgotten = Object.defineProperty(shared, "bytes", { get: () => null, set: () => {} });
    const readsOf = async (seconds: number, outcome = allIsWell) => {
      const before = forgotten.reads;
      for (let i = 0; i < seconds; i++) {
        await call(outcome);
        await ports.pass(1000);
      }
      return forgotten.reads - before;
    };
    expect(await readsOf(100)).toBe(100);
    expect(ports.logged).toEqual([]);
    for (let i = 0; i < 4; i++) await call(nearIsDead);
    expect(forgotten.writes).toBeGreaterThan(0);
    await readsOf(10);
    expect(ports.logged.filter(({ event }) => event === "board-unusable")).toEqual([{ level: "warn", event: "board-unusable", error: "it keeps nothing of what is written" }]);
    expect(await readsOf(280)).toBe(0);
    expect(await readsOf(20)).toBeGreaterThan(0);
  });

  it("is not left alone for being empty once, nor for what was written long ago", async () => {
    const [ports, shared] = [world(), board()];
    const { call } = isolate(ports, shared);
    for (let i = 0; i < 4; i++) await call(nearIsDead);
    const kept = shared.bytes;
    for (let i = 0; i < 9; i++) {
      shared.bytes = i % 3 === 2 ? kept : null;
      await ports.pass(1000);
      await call(allIsWell);
    }
    for (let i = 0; i < 100; i++) {
      await ports.pass(1000);
      await call(allIsWell);
    }
    await ports.pass(61_000);
    const before = shared.writes;
    for (let i = 0; i < 9; i++) {
      shared.bytes = null;
      await ports.pass(1000);
      await call(allIsWell);
    }
    expect([shared.writes - before, shared.reads > 100]).toEqual([0, true]);
    expect(ports.logged.filter(({ event }) => event === "board-unusable")).toEqual([]);
  });

  it("is not believed where it is corrupt or of other endpoints", async () => {
    const [ports, shared] = [world(), board()];
    for (const bytes of [Uint8Array.of(1, 2, 3), new TextEncoder().encode('["fairlead-board 2",["c/elsewhere/x",1,1,1,1,1,1,1,1,1,1,1,1,1]]'), new Uint8Array(1_000_000)]) {
      shared.bytes = bytes;
      const { call, chooser } = isolate(ports, shared);
      expect(await call(allIsWell)).toBe("near");
      expect(chooser.snapshot().clusters[0]!.localities.flatMap(({ endpoints }) => endpoints.map(({ state }) => state))).toEqual(Array.from({ length: 6 }, () => "unknown"));
    }
  });
});
