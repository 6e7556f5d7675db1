import { breaker, type End, type Passage, type Refused, unlimited } from "../core/balance/breaker.ts";
import type { CompiledCircuitBreaker, CompiledCluster } from "../core/config/compiled.ts";
import { tallyMissing } from "./ask-tally.ts";
import type { Keep, Ports } from "./ports.ts";
import { sharedBreaking } from "./shared-breaking.ts";

const logEveryMs = 1000;

/** One call that is under way, with its first attempt, which ends by itself. */
export interface Admission {
  readonly first: Passage;
  /** Another attempt. A promise where somebody else counts. */
  further(): Passage | Refused | Promise<Passage | Refused>;
  readonly end: End;
}

/** What may be under way to one cluster, by a clock. */
export interface Breaking {
  /** `keep`: what is under way for the call may outlive it. */
  call(deadline: number, keep: Keep): Admission | Refused | Promise<Admission | Refused>;
}

/** What an isolate counts by itself. */
export interface OwnBreaking {
  call(deadline: number): Admission | Refused;
  further(deadline: number): Passage | Refused;
}

const unbounded: Admission = { first: unlimited, further: () => unlimited, end: unlimited.end };

/** Tells the log what it refused: once a second at most, with how often since. Where nothing is bounded, no clock is asked. */
export function breaking(ports: Pick<Ports, "now" | "after" | "log" | "tally">, { name, circuitBreaker }: CompiledCluster): Breaking {
  if (circuitBreaker === null) return { call: () => unbounded };
  const told = teller(ports, name, circuitBreaker);
  const own = ownBreaking(ports, circuitBreaker, told);
  if (!circuitBreaker.shared) return own;
  const leases = ports.tally?.leases?.(name);
  if (leases !== undefined) return sharedBreaking({ ports, cluster: name, pendingCounts: circuitBreaker.maxPendingRequests !== null, leases, own, told });
  tallyMissing(ports, { cluster: name });
  return own;
}

function ownBreaking({ now }: Pick<Ports, "now">, limits: CompiledCircuitBreaker, told: Told): OwnBreaking {
  const inner = breaker(limits);
  const further = (deadline: number): Passage | Refused => told(inner.further(now(), deadline));
  return {
    further,
    call(deadline) {
      const answer = told(inner.call(now(), deadline));
      return "over" in answer ? answer : { first: answer.first, further: () => further(deadline), end: answer.end };
    },
  };
}

/** An answer, of which the log has heard. */
export type Told = <T extends object>(answer: T | Refused) => T | Refused;

function teller({ now, log }: Pick<Ports, "now" | "log">, cluster: string, limits: CompiledCircuitBreaker): Told {
  const refused = new Map<Refused["over"], { count: number; loggedAt: number }>();
  return (answer) => {
    if (!("over" in answer)) return answer;
    const { over } = answer;
    const { count, loggedAt } = refused.get(over) ?? { count: 0, loggedAt: -Infinity };
    const due = Math.abs(now() - loggedAt) >= logEveryMs;
    if (due) log({ level: "warn", event: "circuit-open", cluster, limit: over, most: limits[over], refused: count + 1 });
    refused.set(over, due ? { count: 0, loggedAt: now() } : { count: count + 1, loggedAt });
    return answer;
  };
}
