import type { Passage } from "../core/balance/breaker.ts";
import type { Ask, Picked } from "../core/balance/pick.ts";
import type { RetryBudget } from "../core/balance/retry.ts";
import type { Breaking } from "./breaking.ts";
import type { Reply } from "./call.ts";
import type { Choosing } from "./choosing.ts";
import type { Ports } from "./ports.ts";
import type { Usuals } from "./usual.ts";

export interface AttemptsNeeds {
  readonly ports: Ports;
  readonly choosing: Choosing;
  readonly usual: Usuals;
  /** For each cluster, by index. */
  readonly budgets: readonly RetryBudget[];
  readonly breakers: readonly Breaking[];
}

export interface Sending {
  /** Index of the cluster. */
  readonly cluster: number;
  readonly ask: Ask;
  /** Whether the request can be sent more than once, as all of it is there. */
  readonly replayable: boolean;
  /** Whether nobody sees how much of the request the caller has sent: it may be the caller who broke it off. Default: false. */
  readonly unseen?: boolean;
  /** Whether the reply is one message, so that its end is known before anything is relayed. */
  readonly oneReply: boolean;
  /** Whether there is another endpoint to go to. */
  readonly plural: boolean;
  /** Sends the request; `made` counts the attempts before this one. */
  readonly send: (picked: Picked, made: number, signal: AbortSignal | null) => Promise<Reply>;
}

/** One attempt that is under way. */
export interface Running {
  readonly picked: Picked;
  readonly since: number;
  readonly passage: Passage;
  readonly abort: AbortController | undefined;
  readonly settled: Promise<Settled>;
}

/** And how it went. */
export interface Settled {
  readonly one: Running;
  readonly result: { readonly reply: Reply } | { readonly error: unknown };
}
