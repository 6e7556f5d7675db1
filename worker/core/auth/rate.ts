/** So many calls at once, and from then on as many in each `periodMs`, evenly. */
export interface Rate {
  readonly calls: number;
  readonly periodMs: number;
}

/**
 * Counts a call at `now`, in milliseconds, to an account that will be empty at `due` (undefined: it is): how long the call has to wait, 0 where it
 * may pass, and when the account will be empty then. One that may not pass is not counted. The generic cell rate algorithm, which remembers one
 * instant for each account. https://en.wikipedia.org/wiki/Generic_cell_rate_algorithm
 */
export function countTo({ calls, periodMs }: Rate, due: number | undefined, now: number): { readonly waitMs: number; readonly due: number } {
  const each = periodMs / calls;
  // A clock that was put back would otherwise lock a key out for as long.
  const at = Math.min(Math.max(due ?? now, now), now + periodMs);
  const waitMs = at + each - periodMs - now;
  return waitMs <= 1e-6 ? { waitMs: 0, due: at + each } : { waitMs, due: at };
}

/** Counts calls by key, in memory that is bounded. */
export interface Counter {
  /** Counts a call at `now`, in milliseconds; how long it has to wait, 0 where it may pass. One that may not is not counted. */
  take(key: string, now: number): number;
  /** The accounts that are not empty, and when they will be: what another counter would have to know to go on. */
  accounts(now: number): Account[];
}

export type Account = readonly [key: string, due: number];

const mostKeys = 20_000;
const mostBytes = 4 * 1024 * 1024;
/** What an entry takes beside its key, in bytes, about. */
const entryBytes = 100;

/** Counts at a rate for each key. `before`: accounts of a counter that was there before. */
export function counter(rate: Rate, before: readonly Account[] = []): Counter {
  // When each account will be empty; the least lately used first.
  const dues = new Map<string, number>();
  let bytes = 0;

  function touch(key: string, due: number): void {
    if (dues.delete(key)) bytes -= sizeOf(key);
    dues.set(key, due);
    bytes += sizeOf(key);
    while (dues.size > mostKeys || bytes > mostBytes) {
      const oldest = dues.keys().next().value!;
      dues.delete(oldest);
      bytes -= sizeOf(oldest);
    }
  }

  for (const [key, due] of before) touch(key, due);
  return {
    take(key, now) {
      const { waitMs, due } = countTo(rate, dues.get(key), now);
      // One that is refused was used, too: otherwise others could push a used-up limit out.
      touch(key, due);
      return waitMs;
    },
    accounts: (now) => [...dues].filter(([, due]) => due > now),
  };
}

function sizeOf(key: string): number {
  return entryBytes + key.length * 2;
}

/** An address as it is counted: of IPv6 the network of 64 bits, since whoever has one address has all of it. */
export function countedAddress(address: string): string {
  const mapped = /^::ffff:([0-9a-f]{1,4}):([0-9a-f]{1,4})$/i.exec(address);
  if (mapped !== null) return `::ffff:${mapped.slice(1).flatMap((group) => [Number.parseInt(group, 16) >> 8, Number.parseInt(group, 16) & 255]).join(".")}`;
  if (!address.includes(":") || address.includes(".")) return address;
  const [left = "", right] = address.toLowerCase().split("::");
  const head = left === "" ? [] : left.split(":");
  const tail = right === undefined || right === "" ? [] : right.split(":");
  const zeros = right === undefined ? 0 : Math.max(0, 8 - head.length - tail.length);
  return [...head, ...Array.from({ length: zeros }, () => "0"), ...tail].slice(0, 4).map((group) => group.replace(/^0+(?=.)/, "")).join(":");
}
