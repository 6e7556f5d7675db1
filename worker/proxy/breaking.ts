import { breaker, type End, type Limit, type Passage, unlimited } from "../core/balance/breaker.ts";
import type { CompiledCluster } from "../core/config/compiled.ts";
import type { Ports } from "./ports.ts";

const logEveryMs = 1000;

/** A cluster's breaker with a clock: see `Breaker`. */
export interface Breaking {
  call(deadline: number): { readonly end: End } | { readonly over: Limit };
  attempt(deadline: number, further: boolean): Passage | { readonly over: Limit };
}

/** Tells the log what it refused: once a second at most, with how often since. Where nothing is bounded, no clock is asked. */
export function breaking({ now, log }: Pick<Ports, "now" | "log">, { name, circuitBreaker }: CompiledCluster): Breaking {
  if (circuitBreaker === null) return { call: () => unlimited, attempt: () => unlimited };
  const inner = breaker(circuitBreaker);
  const refused = new Map<Limit, { count: number; loggedAt: number }>();

  function told<T extends object>(answer: T): T {
    if (!("over" in answer)) return answer;
    const over = answer.over as Limit;
    const { count, loggedAt } = refused.get(over) ?? { count: 0, loggedAt: -Infinity };
    const due = Math.abs(now() - loggedAt) >= logEveryMs;
    if (due) log({ level: "warn", event: "circuit-open", cluster: name, limit: over, most: circuitBreaker![over], refused: count + 1 });
    refused.set(over, due ? { count: 0, loggedAt: now() } : { count: count + 1, loggedAt });
    return answer;
  }

  return {
    call: (deadline) => told(inner.call(now(), deadline)),
    attempt: (deadline, further) => told(inner.attempt(now(), deadline, further)),
  };
}
