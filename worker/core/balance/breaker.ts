import type { CompiledCircuitBreaker } from "../config/compiled.ts";

/** Gives a lease back. Again, or after the lease's deadline, it does nothing. */
export type End = () => void;
const nothing: End = () => {};

/** So many leases at a time. */
export interface Leases {
  /** Takes one; undefined where none is left. Whoever never gives it back has had it until `deadline`: the runtime may drop a call without a word. */
  take(now: number, deadline: number): End | undefined;
  /** How many are out. */
  out(now: number): number;
}

/** Times in milliseconds since the epoch. `most` null: as many as are asked for, uncounted. */
export function leases(most: number | null): Leases {
  if (most === null) return { take: () => nothing, out: () => 0 };
  const deadlines = new Map<End, number>();
  let earliest = Infinity;

  function reclaim(now: number): void {
    if (now <= earliest) return;
    earliest = Infinity;
    for (const [end, deadline] of deadlines) {
      if (deadline < now) deadlines.delete(end);
      else earliest = Math.min(earliest, deadline);
    }
  }

  return {
    take(now, deadline) {
      if (deadlines.size >= most) reclaim(now);
      if (deadlines.size >= most) return undefined;
      const end = (): void => void deadlines.delete(end);
      deadlines.set(end, deadline);
      earliest = Math.min(earliest, deadline);
      return end;
    },
    out(now) {
      reclaim(now);
      return deadlines.size;
    },
  };
}

export type Limit = keyof CompiledCircuitBreaker;

/** One attempt that is under way. */
export interface Passage {
  /** Its reply has begun. */
  answered: End;
  end: End;
}

/** What one isolate may have under way to one cluster. https://github.com/grpc/proposal/blob/master/A32-xds-circuit-breaking.md */
export interface Breaker {
  call(now: number, deadline: number): { readonly end: End } | { readonly over: Limit };
  /** `further`: not the call's first attempt. */
  attempt(now: number, deadline: number, further: boolean): Passage | { readonly over: Limit };
}

export function breaker(limits: CompiledCircuitBreaker | null): Breaker {
  if (limits === null) return { call: () => unlimited, attempt: () => unlimited };
  const { maxRequests, maxConnections, maxPendingRequests, maxRetries } = limits;
  const [calls, connections, pending, retries] = [maxRequests, maxConnections, maxPendingRequests, maxRetries].map(leases) as [Leases, Leases, Leases, Leases];
  return {
    call(now, deadline) {
      const end = calls.take(now, deadline);
      return end === undefined ? { over: "maxRequests" } : { end };
    },
    attempt(now, deadline, further) {
      const taken: End[] = [];
      const wanted: [Limit, Leases][] = [["maxConnections", connections], ["maxPendingRequests", pending], ...(further ? [["maxRetries", retries] satisfies [Limit, Leases]] : [])];
      for (const [over, of] of wanted) {
        const end = of.take(now, deadline);
        if (end === undefined) {
          for (const give of taken) give();
          return { over };
        }
        taken.push(end);
      }
      const end = (): void => {
        for (const give of taken) give();
      };
      return { answered: taken[1]!, end };
    },
  };
}

/** What is given where nothing is bounded. */
export const unlimited: Passage = { answered: nothing, end: nothing };
