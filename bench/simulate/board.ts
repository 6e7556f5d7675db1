import type { Board } from "../../worker/proxy/ports.ts";
import type { Clock } from "./clock.ts";
import type { Colo } from "./fleet.ts";
import type { Seeded } from "./seeded.ts";

/** The boards of the data centres, as the Cache API would hold them. */
export interface Boards {
  at(colo: Colo): Board;
}

/** The Cache API answers in so many milliseconds, and takes as long to be written to; whoever writes last has written. */
const leastMs = 1;
const spreadMs = 5;

export function boardsOf(clock: Clock, random: Seeded): Boards {
  const held = new Map<number, Uint8Array>();
  const delayed = <T>(work: () => T): Promise<T> => new Promise((resolve) => void clock.after(leastMs + spreadMs * random.uniform(), () => resolve(work())));
  return {
    at: ({ index }) => ({
      read: () => delayed(() => held.get(index) ?? null),
      write: (bytes) => delayed(() => void held.set(index, bytes)),
    }),
  };
}
