import type { Point } from "../../worker/core/balance/place.ts";
import { kilometres } from "../../worker/core/balance/place.ts";
import { regions } from "./layout.ts";
import { seeded } from "./seeded.ts";

/** A data centre. */
export interface Colo {
  readonly index: number;
  readonly at: Point;
  /** Name of the nearest region. */
  readonly home: string;
  /** Milliseconds there and back, by region. */
  readonly rttMs: Readonly<Record<string, number>>;
}

/** One place where an isolate runs; when it is stopped, another one starts there and knows nothing. */
export interface Seat {
  readonly index: number;
  readonly colo: Colo;
  /** Mean time between two calls, in milliseconds. */
  readonly everyMs: number;
  /** What its clock is ahead. */
  readonly skewMs: number;
}

export interface Fleet {
  readonly colos: readonly Colo[];
  readonly seats: readonly Seat[];
}

/** How many seats have how many calls: a few are busy, most have a call in ten seconds. */
const kinds = [
  { share: 0.02, everyMs: 100 },
  { share: 0.18, everyMs: 2000 },
  { share: 0.8, everyMs: 10_000 },
];

/** Isolates live so long, in milliseconds, on average. */
export const meanLifeMs = 10 * 60_000;

export function fleetOf(seed: number, { colos: coloCount, isolates }: { readonly colos: number; readonly isolates: number }): Fleet {
  const { uniform, normal } = seeded(seed, "fleet");
  const colos = Array.from({ length: coloCount }, (_, index): Colo => {
    // Four in ten are around the first region.
    const center = regions[[0, 1, 2, 0, 1][index % 5]!]!;
    const at = { lat: center.lat + (uniform() - 0.5) * 24, lng: within180(center.lng + (uniform() - 0.5) * 40) };
    const distances = regions.map((region) => ({ name: region.name, km: kilometres(at, region) }));
    const home = distances.reduce((a, b) => (b.km < a.km ? b : a)).name;
    return { index, at, home, rttMs: Object.fromEntries(distances.map(({ name, km }) => [name, 2 + km * msPerKm])) };
  });
  const seats = Array.from({ length: isolates }, (_, index): Seat => {
    const colo = colos[Math.floor(uniform() * colos.length)]!;
    const kind = kindAt((index + 0.5) / isolates);
    // One in fifty has a clock that is wrong by seconds.
    return { index, colo, everyMs: kind.everyMs, skewMs: Math.round(normal() * (uniform() < 0.02 ? 3000 : 50)) };
  });
  return { colos, seats };
}

function kindAt(part: number): (typeof kinds)[number] {
  let upTo = 0;
  return kinds.find(({ share }) => part < (upTo += share)) ?? kinds.at(-1)!;
}

/** Light in glass takes 1 ms for 200 km, the way back as much, and cables go round corners. */
const msPerKm = 1.3 / 100;

function within180(lng: number): number {
  return ((lng + 540) % 360) - 180;
}
