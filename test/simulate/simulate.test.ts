import { beforeAll, describe, expect, it } from "vitest";
import { virtualClock } from "../../bench/simulate/clock.ts";
import { fleetOf } from "../../bench/simulate/fleet.ts";
import { isolateAt } from "../../bench/simulate/isolate.ts";
import { compiledConfig } from "../../bench/simulate/layout.ts";
import { page } from "../../bench/simulate/page.ts";
import { figuresOf } from "../../bench/simulate/report.ts";
import { run } from "../../bench/simulate/run.ts";
import { type Simulated, simulate } from "../../bench/simulate/simulate.ts";
import { tally } from "../../bench/simulate/tally.ts";
import { wholeIsolateAt } from "../../bench/simulate/whole.ts";

describe("virtual time", () => {
  it("stands still until promises have done what they can", async () => {
    const clock = virtualClock(0);
    const seen: string[] = [];
    clock.after(20, () => seen.push(`timer ${clock.now()}`));
    clock.after(10, async () => {
      for (let i = 0; i < 100; i++) await undefined;
      seen.push(`promise ${clock.now()}`);
      clock.after(5, () => seen.push(`timer ${clock.now()}`));
    });
    await clock.run(30);
    expect([...seen, clock.now()]).toEqual(["promise 10", "timer 15", "timer 20", 30]);
  });

  it("does not run what was called off, and keeps the order of what is asked for at one instant", async () => {
    const clock = virtualClock(0);
    const seen: number[] = [];
    const cancels = Array.from({ length: 100 }, (_, i) => clock.after(i % 3, () => seen.push(i)));
    for (const i of [3, 50, 99]) cancels[i]!();
    await clock.run(10);
    const wanted = Array.from({ length: 100 }, (_, i) => i).filter((i) => ![3, 50, 99].includes(i));
    expect(seen).toEqual(wanted.sort((a, b) => (a % 3) - (b % 3) || a - b));
  });
});

describe("a quick simulation", () => {
  let simulated: Simulated;
  beforeAll(async () => {
    simulated = await simulate({ quick: true, seed: 1, json: undefined });
  }, 120_000);

  it("comes to the same figures when a part of it is run again, and to others with another seed", async () => {
    const base = await compiledConfig();
    const again = async (seed: number) => {
      const scenario = simulated.scenarios.find(({ name }) => name === "endpoint gray")!;
      const strategy = simulated.strategies.find(({ name }) => name === "defaults")!;
      return tally(scenario, strategy, await run(base, fleetOf(seed, simulated), scenario, strategy, seed));
    };
    const before = figuresOf(simulated, "endpoint gray", "defaults");
    expect(await again(1)).toEqual(before);
    expect(await again(2)).not.toEqual(before);
  }, 60_000);

  it("comes to what the whole proxy comes to, with requests and replies", async () => {
    const base = await compiledConfig();
    const strategy = simulated.strategies.find(({ name }) => name === "defaults")!;
    for (const scenario of simulated.scenarios.filter(({ fault }) => fault !== null).map((one) => ({ ...one, lastsMs: 40_000 }))) {
      const [direct, whole] = [isolateAt, wholeIsolateAt].map((open) => run(base, fleetOf(2, simulated), scenario, strategy, 2, open));
      const [a, b] = [tally(scenario, strategy, await direct!), tally(scenario, strategy, await whole!)];
      expect([b.calls, b.failed]).toEqual([a.calls, a.failed]);
      expect(Math.abs(b.touchedLater - a.touchedLater)).toBeLessThan(0.02);
      expect(Math.abs(b.p50 - a.p50)).toBeLessThan(10);
    }
  }, 60_000);

  it("has fewer than 1,000 KV writes in a day of steady state, and some", () => {
    for (const { writes, refused } of simulated.days) {
      expect(writes).toBeLessThan(1000);
      expect(writes).toBeGreaterThan(600);
      expect(refused).toBe(0);
    }
  });

  it("loses no call that may be repeated with the defaults", () => {
    for (const { failed } of simulated.figures.filter(({ strategy }) => strategy === "defaults")) expect(failed).toBe(0);
  });

  it("can be written down", () => {
    expect(page(simulated)).not.toMatch(/undefined/);
  });
});
