import type { Failure } from "../core/failure.ts";
import type { ConnectionFacts, Ports } from "./ports.ts";

/**
 * How long a call may go on. It is over when its deadline passes, its caller leaves, or a part of it fails for good;
 * from then on `signal` is aborted (so the upstream call is, too) and `failure` says why.
 */
export interface Lifetime {
  /** Made when first asked for, as is the wait for a caller that leaves: a signal costs a tenth of a call on workerd. */
  signal(): AbortSignal;
  /** When the deadline is, in milliseconds since the epoch. */
  readonly deadline: number;
  failure(): Failure | undefined;
  /** Milliseconds to the deadline. */
  remaining(): number;
  /** Ends the call; the first failure stays. */
  fail(failure: Failure): void;
  /** `work`, or undefined as soon as the call is over. For one step of a call at a time. */
  orOver<T>(work: Promise<T>): Promise<T | undefined>;
  /** Runs `then` a turn later on workerd, at once elsewhere. */
  nextTurn(then: () => void): void;
  /** The call is finished: nothing fires any more. */
  close(): void;
}

/** Has `then` called when the call is over, now where it is; what comes back takes that back. */
export function whenOver(life: Pick<Lifetime, "signal">, then: () => void): () => void {
  const over = life.signal();
  if (over.aborted) then();
  else over.addEventListener("abort", then, { once: true });
  return () => over.removeEventListener("abort", then);
}

/**
 * Aborted when the call is over, or a turn later where its origin `answered` by then: on workerd an abort takes back what was written to the request's body in
 * the same turn, and what was sent before then ends as if it were whole.
 */
export function afterwards(life: Pick<Lifetime, "signal" | "nextTurn">, answered: () => boolean): AbortSignal {
  const later = new AbortController();
  whenOver(life, () => (answered() ? life.nextTurn(() => later.abort()) : later.abort()));
  return later.signal;
}

/** Opens a lifetime that ends after `ms` milliseconds. */
export function openLifetime(ports: LifetimePorts, facts: Pick<ConnectionFacts, "left">, ms: number): Lifetime {
  return new CallLifetime(ports, facts, ms);
}

type LifetimePorts = Pick<Ports, "now" | "after" | "endsWithReply">;

/** A class, as there is one for each call: closures would be made anew for each. */
class CallLifetime implements Lifetime {
  readonly deadline: number;
  readonly #ports: LifetimePorts;
  readonly #facts: Pick<ConnectionFacts, "left">;
  readonly #cancel: () => void;
  #controller: AbortController | undefined;
  #forgetLeft: (() => void) | undefined;
  #failure: Failure | undefined;
  #onOver: (() => void) | undefined;
  #closed = false;

  constructor(ports: LifetimePorts, facts: Pick<ConnectionFacts, "left">, ms: number) {
    this.#ports = ports;
    this.#facts = facts;
    this.deadline = ports.now() + ms;
    this.#cancel = ports.after(ms, () => {
      if (!this.#closed) this.fail({ kind: "deadline" });
    });
  }

  signal(): AbortSignal {
    if (this.#controller !== undefined) return this.#controller.signal;
    this.#controller = new AbortController();
    if (this.#failure !== undefined) this.#controller.abort();
    else this.#heed(this.#facts.left());
    return this.#controller.signal;
  }

  #heed(left: AbortSignal | null): void {
    const leave = (): void => this.fail({ kind: "left" });
    if (left?.aborted) return leave();
    left?.addEventListener("abort", leave, { once: true });
    this.#forgetLeft = () => left?.removeEventListener("abort", leave);
  }

  failure(): Failure | undefined {
    return this.#failure;
  }

  remaining(): number {
    return Math.max(0, this.deadline - this.#ports.now());
  }

  fail(why: Failure): void {
    if (this.#failure !== undefined) return;
    this.#failure = why;
    const over = this.#onOver;
    this.close();
    this.#controller?.abort();
    over?.();
  }

  nextTurn(then: () => void): void {
    if (this.#ports.endsWithReply) this.#ports.after(0, then);
    else then();
  }

  orOver<T>(work: Promise<T>): Promise<T | undefined> {
    if (this.#failure !== undefined) {
      // Nobody waits for it any more, and a rejection that nobody takes ends a Deno process.
      work.catch(() => {});
      return Promise.resolve(undefined);
    }
    return new Promise((resolve, reject) => {
      this.#onOver = () => resolve(undefined);
      work.then(resolve, (error: unknown) => (this.#failure === undefined ? reject(error as Error) : resolve(undefined)));
    });
  }

  close(): void {
    this.#closed = true;
    // A runtime that ends a call's timers with its reply need not be told: that costs as much as the timer.
    if (!this.#ports.endsWithReply) this.#cancel();
    // A runtime may remember the timer long after it is done with, and would remember the whole call with it.
    this.#onOver = undefined;
    this.#forgetLeft?.();
  }
}
