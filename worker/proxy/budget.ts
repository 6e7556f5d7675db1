import { FailureError } from "../core/failure.ts";
import type { Lifetime } from "./lifetime.ts";
import { smallBody } from "./read-whole.ts";

/** What all calls of an isolate hold in memory together, in bytes, against one bound. */
export interface Budget {
  /** Opens an account for one call. */
  account(life: Lifetime): Account;
  /** Bytes held now. */
  held(): number;
}

export interface Account {
  /** Charges bytes that are about to be held; throws `over-budget` where they do not fit. */
  charge(bytes: number): void;
  /** Gives back a part of what was charged. */
  give(bytes: number): void;
  /** Gives back everything that was charged; nothing can be charged any more. */
  release(): void;
}

/**
 * A call that holds much, or anything where half of the budget is held, waits for its caller to leave. Others do not, so
 * the runtime may drop them without a word: what they left charged is given back when it is needed and their deadline has
 * passed.
 */
export function budget(limit: number, now: () => number): Budget {
  const held: Held = { limit, total: 0, small: new Map(), now };
  return { held: () => held.total, account: (life) => new CallAccount(held, life) };
}

interface Held {
  readonly limit: number;
  readonly now: () => number;
  total: number;
  /** Accounts that nobody waits for, with their deadlines. */
  readonly small: Map<Account, number>;
}

/** A class, as there is one for each call: closures would be made anew for each. */
class CallAccount implements Account {
  readonly #all: Held;
  readonly #life: Lifetime;
  #mine = 0;
  #released = false;

  constructor(all: Held, life: Lifetime) {
    this.#all = all;
    this.#life = life;
  }

  charge(bytes: number): void {
    const all = this.#all;
    if (all.total + bytes > all.limit) reclaim(all);
    if (this.#released || all.total + bytes > all.limit) throw new FailureError({ kind: "over-budget", alone: this.#mine + bytes > all.limit });
    all.total += bytes;
    this.#mine += bytes;
    if (this.#mine <= smallBody && all.total <= all.limit / 2) return void all.small.set(this, this.#life.deadline);
    all.small.delete(this);
    void this.#life.signal();
  }

  give(bytes: number): void {
    const back = Math.min(bytes, this.#mine);
    this.#all.total -= back;
    this.#mine -= back;
  }

  release(): void {
    this.#released = true;
    this.#all.total -= this.#mine;
    this.#mine = 0;
    this.#all.small.delete(this);
  }
}

function reclaim({ small, now }: Held): void {
  const at = now();
  for (const [account, deadline] of small) if (deadline < at) account.release();
}
