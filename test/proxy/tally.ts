import { counter } from "../../worker/core/auth/rate.ts";
import { type Lender, lender } from "../../worker/core/balance/lender.ts";
import type { Limits } from "../../worker/core/balance/breaker.ts";
import type { Tally } from "../../worker/proxy/ports.ts";

/** What is asked of a tally goes this way: it may take a while, or fail. */
export type Way = <T>(answer: () => T) => Promise<T>;

export interface TestTally extends Tally {
  /** What was asked, in order. */
  readonly asked: string[];
  readonly lender: Lender;
}

/** One that counts in this process, as an object would. */
export function testTally(limits: Limits, now: () => number, way: Way): TestTally {
  const held = lender(limits, now());
  const counters = new Map<string, ReturnType<typeof counter>>();
  const asked: string[] = [];
  const ask = <T>(what: string, answer: () => T): Promise<T> => {
    asked.push(what);
    return way(answer);
  };
  return {
    asked,
    lender: held,
    leases: () => ({
      begin: (ms) => ask("begin", () => held.begin(now(), now() + ms)),
      further: (call, ended) => ask(`further, ended ${ended.join()}`, () => held.further(now(), call, ended)),
      answered: (call, attempt) => ask("answered", () => held.answered(call, attempt)),
      end: (call) => ask("end", () => held.end(call)),
    }),
    count: (limit, account) =>
      ask(account, () => {
        if (!counters.has(limit.name)) counters.set(limit.name, counter(limit));
        return counters.get(limit.name)!.take(account, now());
      }),
  };
}
