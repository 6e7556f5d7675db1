import type { Passage } from "../core/balance/breaker.ts";
import { tallyAsker } from "./ask-tally.ts";
import type { Admission, Breaking, OwnBreaking, Told } from "./breaking.ts";
import type { Keep, Ports, SharedLeases } from "./ports.ts";

export interface Sharing {
  readonly ports: Pick<Ports, "now" | "after" | "log">;
  readonly cluster: string;
  /** Whether it matters when an attempt is answered. */
  readonly pendingCounts: boolean;
  readonly leases: SharedLeases;
  /** Counts where nobody else does. */
  readonly own: OwnBreaking;
  readonly told: Told;
}

/**
 * A breaker whose leases are held for all isolates: one round trip before a call's first attempt and one before each further one, and one when it has
 * ended, which nobody waits for. What ends before its call is told with what is asked next. A message that is lost costs room until the call's deadline.
 */
export function sharedBreaking({ ports, cluster, pendingCounts, leases, own, told }: Sharing): Breaking {
  const ask = tallyAsker(ports, { cluster });

  function admission(call: number, deadline: number, keep: Keep): Admission {
    const ended: number[] = [];
    let isOver = false;
    const passage = (attempt: number): Passage => ({
      answered: () => void (pendingCounts && keep(quietly(leases.answered(call, attempt)))),
      end: () => void ended.push(attempt),
    });
    return {
      first: passage(0),
      async further() {
        const answer = await ask(() => leases.further(call, ended.splice(0)));
        if (answer === undefined) return own.further(deadline);
        return "over" in answer ? told<Passage>(answer) : passage(answer.attempt);
      },
      end() {
        if (isOver) return;
        isOver = true;
        keep(quietly(leases.end(call)));
      },
    };
  }

  return {
    async call(deadline, keep) {
      let isLate = false;
      const answer = await ask(() => {
        const asked = leases.begin(deadline - ports.now());
        // What is lent too late, or to a call that is gone, is given back.
        keep(quietly(asked.then((lent) => (isLate && "call" in lent ? leases.end(lent.call) : undefined))));
        return asked;
      });
      if (answer !== undefined) return "over" in answer ? told<Admission>(answer) : admission(answer.call, deadline, keep);
      isLate = true;
      return own.call(deadline);
    },
  };
}

function quietly(work: Promise<unknown>): Promise<unknown> {
  return work.catch(() => {});
}
