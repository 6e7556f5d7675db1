import type { Store } from "../../worker/proxy/ports.ts";
import type { Clock } from "./clock.ts";
import type { Colo } from "./fleet.ts";
import type { Seeded } from "./seeded.ts";

/** A KV namespace, as each data centre sees it. */
export interface Kv {
  /** The store of one isolate. */
  storeAt(colo: Colo): Store;
  /** Writes that were taken, and those that were refused as the key had one in the same second. */
  writes(): number;
  refused(): number;
}

/** What is written in one place is seen elsewhere after this time. */
const visibleMs = 60_000;
/** A data centre gives what it read for so long. */
const cacheTtlMs = 30_000;
const writesEveryMs = 1000;
const [hitMs, missMs, putMs] = [2, 60, 100];

interface Version {
  readonly at: number;
  readonly by: Colo;
  readonly bytes: Uint8Array;
}

export function kvOf(clock: Clock, random: Seeded): Kv {
  const versions = new Map<string, Version[]>();
  const caches = new Map<string, { readonly at: number; readonly bytes: Uint8Array | null }>();
  let [writes, refused] = [0, 0];

  function seenFrom(colo: Colo, key: string): Uint8Array | null {
    const now = clock.now();
    return versions.get(key)?.findLast(({ at, by }) => by === colo || at + visibleMs <= now)?.bytes ?? null;
  }

  return {
    writes: () => writes,
    refused: () => refused,
    storeAt: (colo) => ({
      get(key) {
        const cached = caches.get(`${colo.index} ${key}`);
        const isHit = cached !== undefined && clock.now() - cached.at < cacheTtlMs;
        const bytes = isHit ? cached.bytes : seenFrom(colo, key);
        if (!isHit) caches.set(`${colo.index} ${key}`, { at: clock.now(), bytes });
        return new Promise((resolve) => void clock.after((isHit ? hitMs : missMs) * (0.5 + random.uniform()), () => resolve(bytes)));
      },
      put(key, bytes) {
        const before = versions.get(key) ?? [];
        const last = before.at(-1);
        if (last !== undefined && clock.now() - last.at < writesEveryMs) {
          refused++;
          return Promise.reject(new Error("429 Too Many Requests"));
        }
        writes++;
        // Of the older ones the newest that everybody sees is enough.
        versions.set(key, [...before.slice(-5), { at: clock.now(), by: colo, bytes }]);
        return new Promise((resolve) => void clock.after(putMs, resolve));
      },
    }),
  };
}
