/** Counts calls by key, in memory that is bounded. */
export interface Counter {
  /** Counts a call at `now`, in milliseconds; how long it has to wait, 0 where it may pass. One that may not is not counted. */
  take(key: string, now: number): number;
}

const mostKeys = 20_000;

/**
 * `calls` at once, and from then on as many in each `periodMs`, evenly: the generic cell rate algorithm, which remembers one instant
 * for each key. https://en.wikipedia.org/wiki/Generic_cell_rate_algorithm
 */
export function counter({ calls, periodMs }: { readonly calls: number; readonly periodMs: number }): Counter {
  const each = periodMs / calls;
  // When each key would have nothing to its account; the least lately used first.
  const due = new Map<string, number>();
  return {
    take(key, now) {
      // A clock that was put back would otherwise lock a key out for as long.
      const at = Math.min(Math.max(due.get(key) ?? now, now), now + periodMs);
      const wait = at + each - periodMs - now;
      if (wait > 1e-6) return wait;
      due.delete(key);
      due.set(key, at + each);
      if (due.size > mostKeys) due.delete(due.keys().next().value!);
      return 0;
    },
  };
}

/** An address as it is counted: of IPv6 the network of 64 bits, since whoever has one address has all of it. */
export function countedAddress(address: string): string {
  if (!address.includes(":") || address.includes(".")) return address;
  const [left = "", right] = address.toLowerCase().split("::");
  const head = left === "" ? [] : left.split(":");
  const tail = right === undefined || right === "" ? [] : right.split(":");
  const zeros = right === undefined ? 0 : Math.max(0, 8 - head.length - tail.length);
  return [...head, ...Array.from({ length: zeros }, () => "0"), ...tail].slice(0, 4).map((group) => group.replace(/^0+(?=.)/, "")).join(":");
}
