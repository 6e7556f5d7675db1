import { type Admitted, breaker, type Limits, type Passage, type Refused } from "./breaker.ts";

/** A call that is under way, as it can be written down. */
export interface CallOut {
  readonly call: number;
  readonly deadline: number;
  /** Those of its attempts that are under way. The first is 0. */
  readonly attempts: readonly { readonly attempt: number; readonly pending: boolean }[];
}

/** A breaker for those who are elsewhere, and name by numbers what they were given. Times in milliseconds since the epoch. */
export interface Lender {
  /** Admits a call with its attempt 0. */
  begin(now: number, deadline: number): { readonly call: number } | Refused;
  /** Another attempt of a call, of which these have ended; undefined where that call is not known. */
  further(now: number, call: number, ended: readonly number[]): { readonly attempt: number } | Refused | undefined;
  /** The reply of this attempt has begun. */
  answered(call: number, attempt: number): void;
  /** The call has ended, and all its attempts. What is not known has ended before. */
  end(call: number): void;
  out(now: number): CallOut[];
}

/** More calls than one begins in a millisecond. */
const mostInMs = 1000;

interface Lent extends Pick<Admitted, "end"> {
  readonly deadline: number;
  readonly attempts: Map<number, { readonly passage: Passage; pending: boolean }>;
  made: number;
}

/** Begins at `now`, and takes over what a lender `before` it had out; it gives no number that one before it gave. */
export function lender(limits: Limits, now: number, before: readonly CallOut[] = []): Lender {
  const { call: admit, further } = breaker(limits);
  const lent = new Map<number, Lent>();
  let next = before.reduce((most, { call }) => Math.max(most, call + 1), now * mostInMs);
  let most = 64;

  /** Forgets what the breaker has taken back by itself. */
  function forget(now: number): void {
    for (const [call, { deadline }] of lent) if (deadline < now) lent.delete(call);
    most = 2 * lent.size + 64;
  }

  function lend(call: number, now: number, deadline: number): Lent | Refused {
    const admitted = admit(now, deadline);
    if ("over" in admitted) return admitted;
    const one: Lent = { deadline, end: admitted.end, attempts: new Map([[0, { passage: admitted.first, pending: true }]]), made: 1 };
    lent.set(call, one);
    return one;
  }

  function attempt(one: Lent, now: number, number: number): { readonly attempt: number } | Refused {
    const passage = further(now, one.deadline);
    if ("over" in passage) return passage;
    one.attempts.set(number, { passage, pending: true });
    one.made = number + 1;
    return { attempt: number };
  }

  function endAttempt({ attempts }: Lent, number: number): void {
    attempts.get(number)?.passage.end();
    attempts.delete(number);
  }

  function answered(one: Lent | undefined, number: number): void {
    const found = one?.attempts.get(number);
    if (found === undefined) return;
    found.passage.answered();
    found.pending = false;
  }

  function restore({ call, deadline, attempts }: CallOut): void {
    const one = lend(call, now, deadline);
    if ("over" in one) return;
    if (!attempts.some(({ attempt }) => attempt === 0)) endAttempt(one, 0);
    for (const { attempt: number, pending } of attempts) {
      if (number > 0) attempt(one, now, number);
      if (!pending) answered(one, number);
    }
  }

  // A call takes more for a moment than it has: those that have least go first, so that there is room for that.
  const still = before.filter(({ deadline }) => deadline >= now);
  for (const one of still.sort((a, b) => pendingOf(a) - pendingOf(b) || a.attempts.length - b.attempts.length)) restore(one);
  return {
    begin(now, deadline) {
      if (lent.size >= most) forget(now);
      const call = next++;
      const one = lend(call, now, deadline);
      return "over" in one ? one : { call };
    },
    further(now, call, ended) {
      const one = lent.get(call);
      if (one === undefined || one.deadline < now) return undefined;
      for (const number of ended) endAttempt(one, number);
      return attempt(one, now, one.made);
    },
    answered: (call, attempt) => answered(lent.get(call), attempt),
    end(call) {
      const one = lent.get(call);
      if (one === undefined) return;
      lent.delete(call);
      for (const number of one.attempts.keys()) endAttempt(one, number);
      one.end();
    },
    out(now) {
      forget(now);
      return Array.from(lent, ([call, { deadline, attempts }]) => ({ call, deadline, attempts: Array.from(attempts, ([attempt, { pending }]) => ({ attempt, pending })) }));
    },
  };
}

function pendingOf({ attempts }: CallOut): number {
  return attempts.filter(({ pending }) => pending).length;
}
