import { FailureError } from "../core/failure.ts";

/** What all calls of an isolate hold in memory together, in bytes, against one bound. */
export interface Budget {
  /** Opens an account for one call. */
  account(): Account;
  /** Bytes held now. */
  held(): number;
}

export interface Account {
  /** Charges bytes that are about to be held; throws `over-budget` where they do not fit. */
  charge(bytes: number): void;
  /** Gives back a part of what was charged. */
  give(bytes: number): void;
  /** Gives back everything that was charged. */
  release(): void;
}

export function budget(limit: number): Budget {
  let total = 0;
  return {
    held: () => total,
    account() {
      let mine = 0;
      return {
        charge(bytes) {
          if (total + bytes > limit) throw new FailureError({ kind: "over-budget" });
          total += bytes;
          mine += bytes;
        },
        give(bytes) {
          const back = Math.min(bytes, mine);
          total -= back;
          mine -= back;
        },
        release() {
          total -= mine;
          mine = 0;
        },
      };
    },
  };
}
