import type { CompiledConfig } from "../core/config/compiled.ts";
import { judge } from "../core/health/judge.ts";
import { type HealthTable, isFresh } from "../core/health/table.ts";
import { dueTargets, regionsOf, targetsOf } from "../core/health/targets.ts";
import type { Ports, Store } from "../proxy/ports.ts";
import { tableKey } from "./documents.ts";
import { type Prober, probeFromRegions } from "./regional.ts";
import { within } from "../proxy/within.ts";

/** A store is given so long. */
const storeMs = 10_000;
/** A sweep that began longer ago will not end any more: the platform has dropped it. In milliseconds. */
const longestMs = 5 * 60_000;

/** Streaks that change no state are written no oftener than this, in milliseconds: a flapping endpoint would else use up a day's writes. */
const streakMs = 55_000;

/** Looks after the health table; never throws. Called again before it has ended, it leaves the work to the first. */
export type Sweep = () => Promise<void>;

/** Where a sweep finds its table again when its own memory was lost. */
export interface Memory {
  get(): Promise<Uint8Array | undefined>;
  put(bytes: Uint8Array): Promise<void>;
}

/** What a sweep may have beside its ports. */
export interface SweepAids {
  readonly memory?: Memory;
  /** Without it the sweep probes everything by itself, whatever regions a check names. */
  readonly prober?: Prober | undefined;
}

/**
 * A sweep reads the table, probes the endpoints whose interval has passed, judges, and writes if there is something to write. Between
 * sweeps of one isolate the table stays in memory, where it is newer than what the store shows.
 */
export function sweeper({ clusters }: Pick<CompiledConfig, "clusters">, ports: Ports, { memory, prober }: SweepAids = {}): Sweep {
  const targets = targetsOf(clusters);
  const checks = new Map([...targets].map(([key, { check }]) => [key, check]));
  const regions = regionsOf(checks.values());
  if (prober === undefined && regions.length > 0) ports.log({ level: "warn", event: "prober-missing", regions });
  let last: HealthTable | null = null;
  let unwritten = false;
  let busySince = -Infinity;

  return async () => {
    const began = ports.now();
    if (Math.abs(began - busySince) < longestMs) return;
    busySince = began;
    try {
      await sweep();
    } finally {
      if (busySince === began) busySince = -Infinity;
    }
  };

  async function sweep(): Promise<void> {
    const { store } = ports;
    if (targets.size === 0) return;
    if (store === null) return ports.log({ level: "error", event: "health-store-missing" });
    const stored = await readTable(store, ports);
    last ??= memory === undefined ? null : await remembered(memory, ports);
    const before = stored !== null && (last === null || stored.writtenAt > last.writtenAt) ? stored : last;
    const began = ports.now();
    // All have the sweep's own time: a slow probe would else make its endpoint look probed too lately for the next one.
    const results = (await probeFromRegions(ports, prober, dueTargets(targets, before, began))).map((result) => ({ ...result, at: began }));
    const { table, flips, due } = judge(before, results, checks, ports.now());
    for (const { key, region, from, to, detail } of flips) {
      if (from !== "unknown" || to === "unhealthy") ports.log({ level: to === "unhealthy" ? "warn" : "info", event: "health-flip", endpoint: key, ...(region !== undefined && { region }), from, to, detail });
    }
    last = table;
    await memory?.put((await import("../core/health/codec.ts")).encodeTable(table)).catch((error: unknown) => ports.log({ level: "warn", event: "health-memory-failed", error: String(error) }));
    const early = due === "streak" && stored !== null && ports.now() - stored.writtenAt < streakMs;
    if ((due === null || early) && stored !== null && !unwritten) return;
    last = { ...table, writtenAt: ports.now() };
    unwritten = !(await writeTable(store, last, ports));
  }
}

async function remembered(memory: Memory, ports: Ports): Promise<HealthTable | null> {
  try {
    const { decodeTable } = await import("../core/health/codec.ts");
    const read = decodeTable((await memory.get()) ?? null);
    return "value" in read && isFresh(read.value, ports.now()) ? read.value : null;
  } catch (error) {
    ports.log({ level: "warn", event: "health-memory-failed", error: String(error) });
    return null;
  }
}

async function readTable(store: Store, ports: Ports): Promise<HealthTable | null> {
  try {
    const { decodeTable } = await import("../core/health/codec.ts");
    const read = decodeTable(await within(ports, storeMs, store.get(tableKey)));
    if ("value" in read && isFresh(read.value, ports.now())) return read.value;
    const reason = "none" in read ? read.none : "stale";
    if (reason !== "missing") ports.log({ level: "warn", event: "health-table-unusable", reason });
  } catch (error) {
    ports.log({ level: "warn", event: "health-read-failed", error: String(error) });
  }
  return null;
}

async function writeTable(store: Store, table: HealthTable, ports: Ports): Promise<boolean> {
  try {
    const { encodeTable } = await import("../core/health/codec.ts");
    await within(ports, storeMs, store.put(tableKey, encodeTable(table)));
    return true;
  } catch (error) {
    ports.log({ level: "error", event: "health-write-failed", error: String(error) });
    return false;
  }
}
