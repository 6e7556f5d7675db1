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
  let total = 0;
  const small = new Map<Account, number>();

  function reclaim(): void {
    const at = now();
    for (const [account, deadline] of small) if (deadline < at) account.release();
  }

  return {
    held: () => total,
    account(life) {
      let mine = 0;
      let released = false;
      const account: Account = {
        charge(bytes) {
          if (total + bytes > limit) reclaim();
          if (released || total + bytes > limit) throw new FailureError({ kind: "over-budget" });
          total += bytes;
          mine += bytes;
          if (mine <= smallBody && total <= limit / 2) return void small.set(account, life.deadline);
          small.delete(account);
          void life.signal();
        },
        give(bytes) {
          const back = Math.min(bytes, mine);
          total -= back;
          mine -= back;
        },
        release() {
          released = true;
          total -= mine;
          mine = 0;
          small.delete(account);
        },
      };
      return account;
    },
  };
}
