import { DurableObject } from "cloudflare:workers";
import { type Account, type Counter, counter } from "../../core/auth/rate.ts";
import { type CallOut, type Lender, lender } from "../../core/balance/lender.ts";
import type { CompiledConfig } from "../../core/config/compiled.ts";
import type { TallyObject } from "./tally.ts";

/** So long after a change it is written down what there is: before ten seconds without a message put the object out of memory. */
const writeAfterMs = 5000;
/** About what one value holds (2 MB). */
const mostCalls = 10_000;
const key = "held";

/**
 * The class of the Durable Objects that count for all isolates, each in its memory. What is out is written down after five seconds, so that nothing is
 * forgotten when nobody asks; an object that is started anew for another reason (a deployment, a move) may have lost the last five seconds.
 * https://developers.cloudflare.com/durable-objects/concepts/durable-object-lifecycle/
 */
export function tallyClass({ clusters, auth }: CompiledConfig) {
  return class Tally extends DurableObject implements TallyObject {
    /** What is written down. */
    #written: unknown;
    #lender: Lender | undefined;
    #counter: Counter | undefined;
    #willWrite = false;

    constructor(state: DurableObjectState, env: object) {
      super(state, env);
      void state.blockConcurrencyWhile(async () => void (this.#written = await state.storage.get(key)));
    }

    #leasesOf(cluster: string): Lender {
      this.#lender ??= lender(clusters.find(({ name }) => name === cluster)!.circuitBreaker!, Date.now(), this.#written as CallOut[] | undefined);
      this.#changed();
      return this.#lender;
    }

    #accountsOf(limit: string): Counter {
      this.#counter ??= counter(auth.rateLimits.find(({ name }) => name === limit)!, this.#written as Account[] | undefined);
      this.#changed();
      return this.#counter;
    }

    #changed(): void {
      if (this.#willWrite) return;
      this.#willWrite = true;
      setTimeout(() => {
        this.#willWrite = false;
        const now = Date.now();
        const held = this.#lender?.out(now).slice(0, mostCalls) ?? this.#counter?.accounts(now) ?? [];
        if (held.length === 0 && this.#written === undefined) return;
        this.#written = held.length === 0 ? undefined : held;
        void this.ctx.storage.put(key, held, { allowUnconfirmed: true });
      }, writeAfterMs);
    }

    async begin(cluster: string, ms: number): ReturnType<TallyObject["begin"]> {
      const now = Date.now();
      return this.#leasesOf(cluster).begin(now, now + ms);
    }

    async further(cluster: string, call: number, ended: readonly number[]): ReturnType<TallyObject["further"]> {
      return this.#leasesOf(cluster).further(Date.now(), call, ended);
    }

    async answered(cluster: string, call: number, attempt: number): Promise<void> {
      this.#leasesOf(cluster).answered(call, attempt);
    }

    async end(cluster: string, call: number): Promise<void> {
      this.#leasesOf(cluster).end(call);
    }

    async count(limit: string, account: string): Promise<number> {
      return this.#accountsOf(limit).take(account, Date.now());
    }
  };
}
