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

type Limit = Exclude<keyof CompiledCircuitBreaker, "shared">;
export type Limits = Pick<CompiledCircuitBreaker, Limit>;

/** Refused: `over` this limit. */
export interface Refused {
  readonly over: Limit;
}

/** One attempt that is under way. */
export interface Passage {
  /** Its reply has begun. */
  answered: End;
  end: End;
}

/** One call that is under way, with its first attempt, which ends by itself. */
export interface Admitted {
  readonly first: Passage;
  readonly end: End;
}

/** What may be under way to one cluster. https://github.com/grpc/proposal/blob/master/A32-xds-circuit-breaking.md */
export interface Breaker {
  call(now: number, deadline: number): Admitted | Refused;
  /** An attempt that is not its call's first. */
  further(now: number, deadline: number): Passage | Refused;
}

export function breaker({ maxRequests, maxConnections, maxPendingRequests, maxRetries }: Limits): Breaker {
  const [calls, connections, pending, retries] = [maxRequests, maxConnections, maxPendingRequests, maxRetries].map(leases) as [Leases, Leases, Leases, Leases];

  function attempt(now: number, deadline: number, further: boolean): Passage | Refused {
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
  }

  return {
    call(now, deadline) {
      const end = calls.take(now, deadline);
      if (end === undefined) return { over: "maxRequests" };
      const first = attempt(now, deadline, false);
      if (!("over" in first)) return { first, end };
      end();
      return first;
    },
    further: (now, deadline) => attempt(now, deadline, true),
  };
}

/** What is given where nothing is bounded. */
export const unlimited: Passage = { answered: nothing, end: nothing };
