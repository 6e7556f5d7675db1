import { describe, expect, it } from "vitest";
import type { Limits } from "../../worker/core/balance/breaker.ts";
import type { CompiledCluster } from "../../worker/core/config/compiled.ts";
import { breaking } from "../../worker/proxy/breaking.ts";
import { settled, world, type World } from "../health/world.ts";
import { testTally, type Way } from "./tally.ts";

const limits: Limits = { maxConnections: null, maxPendingRequests: null, maxRequests: 1, maxRetries: null };
const clusterWith = (limits: Limits, shared: boolean) => ({ name: "c", circuitBreaker: { ...limits, shared } }) as CompiledCluster;

/** Isolates that share a breaker, with a clock in the test's hands. */
function isolates(way: (ports: World) => Way, more: Partial<Limits> = {}) {
  const ports = world();
  const all = { ...limits, ...more };
  const tally = testTally(all, ports.now, way(ports));
  const cluster = clusterWith(all, true);
  const [one, other] = [breaking({ ...ports, tally }, cluster), breaking({ ...ports, tally }, cluster)];
  const kept: Promise<unknown>[] = [];
  return { ports, tally, one, other, kept, begin: (of = one) => Promise.resolve(of.call(ports.now() + 10_000, (work) => kept.push(work))) };
}

const atOnce: () => Way = () => async (answer) => answer();
const never: () => Way = () => () => new Promise(() => {});

async function admitted(answer: ReturnType<ReturnType<typeof isolates>["begin"]>) {
  const admission = await answer;
  if ("over" in admission) throw new Error(admission.over);
  return admission;
}

describe("a shared breaker", () => {
  it("bounds what all isolates have under way together, for two messages a call", async () => {
    const { begin, other, tally, kept, ports } = isolates(atOnce);
    const admission = await admitted(begin());
    expect(await begin(other)).toEqual({ over: "maxRequests" });
    expect(ports.logged).toEqual([{ level: "warn", event: "circuit-open", cluster: "c", limit: "maxRequests", most: 1, refused: 1 }]);
    admission.first.end();
    admission.end();
    admission.end();
    await Promise.all(kept);
    expect(tally.asked).toEqual(["begin", "begin", "end"]);
    await admitted(begin(other));
  });

  it("is told what has ended with the next attempt, and that one is answered only where that counts", async () => {
    for (const [maxPendingRequests, told] of [[null, []], [5, ["answered"]]] as const) {
      const { begin, tally } = isolates(atOnce, { maxPendingRequests, maxRetries: 1 });
      const { first, further } = await admitted(begin());
      first.answered();
      first.end();
      expect(await further()).not.toHaveProperty("over");
      expect(await further()).toEqual({ over: "maxRetries" });
      expect(tally.asked).toEqual(["begin", ...told, "further, ended 0", "further, ended "]);
    }
  });

  it("that does not answer leaves each isolate to its own, which waits once a second, half a second at most, and says so once a minute", async () => {
    const { begin, other, ports, tally } = isolates(never);
    const first = begin();
    await ports.pass(500);
    await admitted(first);
    expect(await begin()).toEqual({ over: "maxRequests" });
    const elsewhere = begin(other);
    await ports.pass(500);
    await admitted(elsewhere);
    expect(tally.asked.length).toBe(2);
    expect(ports.logged.map(({ event, failed, instead }) => [event, failed, instead])).toEqual([["tally-failed", 1, "counted here"], ["circuit-open", undefined, undefined], ["tally-failed", 1, "counted here"]]);
    await ports.pass(500);
    const again = begin();
    await ports.pass(500);
    await again;
    expect([tally.asked.length, ports.logged.filter(({ event }) => event === "tally-failed").length]).toEqual([3, 2]);
  });

  it("that rejects does, too, at once", async () => {
    const { begin, ports } = isolates(() => () => Promise.reject(new Error("gone")));
    await admitted(begin());
    expect(await begin()).toEqual({ over: "maxRequests" });
    expect(ports.logged[0]).toEqual({ level: "warn", event: "tally-failed", cluster: "c", failed: 1, error: "Error: gone", instead: "counted here" });
  });

  it("gets back what it lent too late", async () => {
    const { begin, tally, ports, kept } = isolates((ports) => (answer) => new Promise((resolve) => void ports.after(600, () => resolve(answer()))));
    const late = begin();
    await ports.pass(500);
    await admitted(late);
    await ports.pass(100);
    expect([tally.asked, tally.lender.out(ports.now()).length]).toEqual([["begin", "end"], 1]);
    await ports.pass(600);
    await Promise.all(kept);
    expect(tally.lender.out(ports.now())).toEqual([]);
  });

  it("that has forgotten a call leaves its further attempts to the isolate", async () => {
    const { begin, tally, ports } = isolates(atOnce, { maxRetries: 1 });
    const { further } = await admitted(begin());
    for (const { call } of tally.lender.out(ports.now())) tally.lender.end(call);
    expect(await further()).not.toHaveProperty("over");
    expect(await further()).toEqual({ over: "maxRetries" });
  });
});

it("a breaker that nobody shares, or where nobody could hold its leases, answers without a promise", async () => {
  const ports = world();
  const tally = testTally(limits, ports.now, atOnce());
  for (const [one, cluster] of [[{ ...ports, tally }, clusterWith(limits, false)], [{ ...ports, tally: null }, clusterWith(limits, true)], [{ ...ports, tally: { ...tally, leases: null } }, clusterWith(limits, true)]] as const) {
    const { call } = breaking(one, cluster);
    expect(call(ports.now() + 1000, () => {})).toHaveProperty("first");
    expect(call(ports.now() + 1000, () => {})).toEqual({ over: "maxRequests" });
  }
  await settled();
  expect(tally.asked).toEqual([]);
  expect(ports.logged.filter(({ event }) => event === "tally-missing")).toEqual(Array.from({ length: 2 }, () => ({ level: "warn", event: "tally-missing", cluster: "c", instead: "counted here" })));
});
