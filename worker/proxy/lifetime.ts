import type { Failure } from "../core/failure.ts";
import type { ConnectionFacts, Ports } from "./ports.ts";

/**
 * How long a call may go on. It is over when its deadline passes, its caller leaves, or a part of it fails for good;
 * from then on `signal` is aborted (so the upstream call is, too) and `failure` says why.
 */
export interface Lifetime {
  readonly signal: AbortSignal;
  failure(): Failure | undefined;
  /** Milliseconds to the deadline. */
  remaining(): number;
  /** Ends the call; the first failure stays. */
  fail(failure: Failure): void;
  /** `work`, or undefined as soon as the call is over. For single reads, not for loops. */
  orOver<T>(work: Promise<T>): Promise<T | undefined>;
  /** The call is finished: nothing fires any more. */
  close(): void;
}

/** Opens a lifetime that ends after `ms` milliseconds. */
export function openLifetime(ports: Ports, facts: ConnectionFacts, ms: number): Lifetime {
  const controller = new AbortController();
  const deadline = ports.now() + ms;
  let failure: Failure | undefined;
  let onOver: (() => void) | undefined;

  const fail = (why: Failure): void => {
    if (failure !== undefined) return;
    failure = why;
    cancel();
    controller.abort();
    onOver?.();
  };
  const cancel = ports.after(ms, () => fail({ kind: "deadline" }));
  const leave = (): void => fail({ kind: "left" });
  if (facts.left?.aborted) leave();
  else facts.left?.addEventListener("abort", leave, { once: true });

  return {
    signal: controller.signal,
    failure: () => failure,
    remaining: () => Math.max(0, deadline - ports.now()),
    fail,
    orOver(work) {
      if (failure !== undefined) return Promise.resolve(undefined);
      return new Promise((resolve, reject) => {
        onOver = () => resolve(undefined);
        work.then(resolve, (error: unknown) => (failure === undefined ? reject(error as Error) : resolve(undefined)));
      });
    },
    close() {
      cancel();
      facts.left?.removeEventListener("abort", leave);
    },
  };
}
