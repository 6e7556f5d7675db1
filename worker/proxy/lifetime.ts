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
  /** The call is finished: nothing fires any more. */
  close(): void;
}

/** Has `then` called when the call is over, now where it is; what comes back takes that back. */
export function whenOver({ signal }: Pick<Lifetime, "signal">, then: () => void): () => void {
  const over = signal();
  if (over.aborted) then();
  else over.addEventListener("abort", then, { once: true });
  return () => over.removeEventListener("abort", then);
}

/** Opens a lifetime that ends after `ms` milliseconds. */
export function openLifetime(ports: Pick<Ports, "now" | "after" | "endsWithReply">, facts: Pick<ConnectionFacts, "left">, ms: number): Lifetime {
  const deadline = ports.now() + ms;
  let controller: AbortController | undefined;
  let left: AbortSignal | null = null;
  let failure: Failure | undefined;
  let onOver: (() => void) | undefined;
  let closed = false;

  const fail = (why: Failure): void => {
    if (failure !== undefined) return;
    failure = why;
    const over = onOver;
    close();
    controller?.abort();
    over?.();
  };
  const leave = (): void => fail({ kind: "left" });
  const cancel = ports.after(ms, () => {
    if (!closed) fail({ kind: "deadline" });
  });
  const close = (): void => {
    closed = true;
    // A runtime that ends a call's timers with its reply need not be told: that costs as much as the timer.
    if (!ports.endsWithReply) cancel();
    // A runtime may remember the timer long after it is done with, and would remember the whole call with it.
    onOver = undefined;
    left?.removeEventListener("abort", leave);
  };

  return {
    deadline,
    signal() {
      if (controller !== undefined) return controller.signal;
      controller = new AbortController();
      left = facts.left();
      if (failure !== undefined) controller.abort();
      else if (left?.aborted) leave();
      else left?.addEventListener("abort", leave, { once: true });
      return controller.signal;
    },
    failure: () => failure,
    remaining: () => Math.max(0, deadline - ports.now()),
    fail,
    orOver(work) {
      if (failure !== undefined) {
        // Nobody waits for it any more, and a rejection that nobody takes ends a Deno process.
        work.catch(() => {});
        return Promise.resolve(undefined);
      }
      return new Promise((resolve, reject) => {
        onOver = () => resolve(undefined);
        work.then(resolve, (error: unknown) => (failure === undefined ? reject(error as Error) : resolve(undefined)));
      });
    },
    close,
  };
}
