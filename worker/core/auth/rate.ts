/** Counts calls by key, in memory that is bounded. */
export interface Counter {
  /** Counts a call at `now`, in milliseconds; how long it has to wait, 0 where it may pass. One that may not is not counted. */
  take(key: string, now: number): number;
}

const mostKeys = 20_000;
const mostBytes = 4 * 1024 * 1024;
/** What an entry takes beside its key, in bytes, about. */
const entryBytes = 100;

/**
 * `calls` at once, and from then on as many in each `periodMs`, evenly: the generic cell rate algorithm, which remembers one instant
 * for each key. https://en.wikipedia.org/wiki/Generic_cell_rate_algorithm
 */
export function counter({ calls, periodMs }: { readonly calls: number; readonly periodMs: number }): Counter {
  const each = periodMs / calls;
  // When each key would have nothing to its account; the least lately used first.
  const due = new Map<string, number>();
  let bytes = 0;

  function touch(key: string, until: number): void {
    if (due.delete(key)) bytes -= sizeOf(key);
    due.set(key, until);
    bytes += sizeOf(key);
    while (due.size > mostKeys || bytes > mostBytes) {
      const oldest = due.keys().next().value!;
      due.delete(oldest);
      bytes -= sizeOf(oldest);
    }
  }

  return {
    take(key, now) {
      // A clock that was put back would otherwise lock a key out for as long.
      const at = Math.min(Math.max(due.get(key) ?? now, now), now + periodMs);
      const wait = at + each - periodMs - now;
      const mayPass = wait <= 1e-6;
      // One that is refused was used, too: otherwise others could push a used-up limit out.
      touch(key, mayPass ? at + each : at);
      return mayPass ? 0 : wait;
    },
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
