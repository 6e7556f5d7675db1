import type { Point } from "../core/balance/place.ts";
import type { StateOf, WeightOf } from "../core/balance/snapshot.ts";
import type { Absence, Read } from "../core/health/document.ts";
import { nearestRegion, nowhereYet, vote } from "../core/health/regions.ts";
import type { Overrides } from "../core/health/overrides.ts";
import { stateOf, weightOf } from "../core/health/states.ts";
import { type HealthTable, isFresh, sameStates } from "../core/health/table.ts";
import type { Keep, Ports, Store } from "../proxy/ports.ts";
import { overridesKey, tableKey } from "./documents.ts";

/** Older than this, the copy in memory is read anew; the platform's own cache keeps it as long. */
const freshMs = 30_000;
/** So long a call waits for its read. */
const waitMs = 25;
/** So long no call reads again where a read was not answered in time. */
const restMs = 1000;
const logEveryMs = 60_000;

/** What an isolate knows of the health table and the overrides. */
export interface HealthReader {
  /** What is known now of each endpoint. Answers the same as long as `revision` does. */
  states(): StateOf;
  /** What operators have set of weights, or the config's. */
  weights(): WeightOf;
  /** Changes whenever one of them would answer differently. Cheap: to be asked by every call. */
  revision(): number;
  /**
   * To be awaited by a call before it picks; undefined where the copy is fresh enough. The call makes a read of its own, waits
   * for it 25 ms at most and then goes on with what there is. Never rejects.
   */
  freshen(keep?: Keep): Promise<void> | undefined;
  /** Takes in where a call came from, where probes come from several regions. */
  readonly near: ((at: Point) => void) | undefined;
  /** The region of probes that is near to this isolate, as far as it knows. */
  here(): string | null;
  /** The table as it was read last, for whoever shows it. */
  table(): HealthTable | null;
}

export interface Reading {
  /** Whether there are endpoints that are probed. Default: true. */
  readonly probed?: boolean;
  /** The regions from which they are. Default: none. */
  readonly regions?: readonly string[];
}

/** Reads the two documents, the table only where endpoints are `probed`. What is unusable is logged once a minute, and fails no call. */
export function healthReader(ports: Pick<Ports, "store" | "now" | "after" | "log">, { probed = true, regions = [] }: Reading = {}): HealthReader {
  const { store, now } = ports;
  let table: HealthTable | null = null;
  let overrides: Overrides | null = null;
  let revision = 0;
  let believed = false;
  let readAt = -Infinity;
  let triedAt = -Infinity;
  let whereabouts = nowhereYet;
  let missingSince: number | undefined;
  const loggedAt = new Map<string, number>();

  function complain(document: string, reason: string): void {
    if (Math.abs(now() - (loggedAt.get(document) ?? -Infinity)) < logEveryMs) return;
    loggedAt.set(document, now());
    ports.log({ level: "warn", event: "health-unknown", document, reason });
  }

  function takeTable(read: Read<HealthTable>): void {
    if ("none" in read) return complain(tableKey, read.none);
    if (!isFresh(read.value, now())) complain(tableKey, "stale");
    // KV may tell of what was before; but of two the one whose clock is ahead is not the newer for that.
    if (table !== null && read.value.writtenAt < table.writtenAt && table.writtenAt <= now() && isFresh(table, now())) return;
    if (!sameTables(table, read.value)) revision++;
    table = read.value;
  }

  function takeOverrides(read: Read<Overrides>): void {
    const none: Absence | undefined = "none" in read ? read.none : undefined;
    if (none !== undefined && none !== "missing") return complain(overridesKey, none);
    // A store that shows nothing for once does not lift what operators decided.
    if (none === undefined) missingSince = undefined;
    else if (overrides !== null && now() - (missingSince ??= now()) < restMs) return;
    const next = "value" in read ? read.value : null;
    if (decidedBy(next) !== decidedBy(overrides)) revision++;
    overrides = next;
  }

  async function read(from: Store): Promise<void> {
    try {
      const [tableBytes, overridesBytes] = await Promise.all([probed ? from.get(tableKey) : null, from.get(overridesKey)]);
      const missing = { none: "missing" } as const;
      const codec = tableBytes === null && overridesBytes === null ? undefined : await import("../core/health/codec.ts");
      if (probed) takeTable(codec?.decodeTable(tableBytes) ?? missing);
      takeOverrides(codec?.decodeOverrides(overridesBytes) ?? missing);
      readAt = now();
    } catch (error) {
      complain("store", String(error));
    }
  }

  function hear(at: Point): void {
    const { region } = whereabouts;
    whereabouts = vote(whereabouts, nearestRegion(at, regions));
    if (whereabouts.region !== region) revision++;
  }

  return {
    table: () => table,
    near: regions.length === 0 ? undefined : hear,
    here: () => whereabouts.region,
    states: () => stateOf(table, overrides, now(), whereabouts.region),
    weights: () => weightOf(overrides),
    revision() {
      const fresh = table !== null && isFresh(table, now());
      if (fresh !== believed) revision++;
      believed = fresh;
      return revision;
    },
    freshen(keep = () => {}) {
      const at = now();
      const age = at - readAt;
      if (store === null || (age >= 0 && age < freshMs)) return undefined;
      const since = at - triedAt;
      if (since >= waitMs && since < restMs) return undefined;
      if (since < 0 || since >= restMs) triedAt = at;
      const { promise, resolve } = Promise.withResolvers<void>();
      const cancel = ports.after(waitMs, resolve);
      const reading = read(store);
      keep(reading);
      return Promise.race([reading, promise]).finally(cancel);
    },
  };
}

function sameTables(a: HealthTable | null, b: HealthTable): boolean {
  return a?.endpoints.size === b.endpoints.size && [...b.endpoints].every(([key, health]) => sameStates(a.endpoints.get(key), health));
}

function decidedBy(overrides: Overrides | null): string {
  const { drains, weights } = overrides ?? { drains: [], weights: [] };
  return JSON.stringify([drains.map(({ target }) => target), weights.map(({ target, weight }) => [target, weight])]);
}
