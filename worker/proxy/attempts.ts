import type { Passage, Refused } from "../core/balance/breaker.ts";
import type { Admission, Breaking } from "./breaking.ts";
import type { Outcome } from "../core/balance/observation.ts";
import { type Ask, type Picked, pickEndpoint } from "../core/balance/pick.ts";
import { type Failed, hedgeAfter, isRepeatable, retryAfter, type RetryBudget, retryOf } from "../core/balance/retry.ts";
import { type Failure, FailureError, failureOf } from "../core/failure.ts";
import type { Call, Reply } from "./call.ts";
import type { Choosing } from "./choosing.ts";
import type { Ports } from "./ports.ts";
import type { Usuals } from "./usual.ts";
import { verdictOnFailure, verdictOnReply } from "./verdict.ts";

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

/** The attempts of one call. */
export interface Attempts {
  /** The reply to relay, of the first attempt that is good or of the last that is not. Rejects where that was none. */
  run(): Promise<Reply>;
  /** The call is over, and with it all attempts. */
  over(): void;
}

interface Running {
  readonly picked: Picked;
  readonly since: number;
  readonly passage: Passage;
  readonly abort: AbortController | undefined;
  readonly settled: Promise<Settled>;
}

interface Settled {
  readonly one: Running;
  readonly result: { readonly reply: Reply } | { readonly error: unknown };
}

/**
 * Sends a call to an endpoint, and to another one where it failed and may be repeated. One that has not answered for too
 * long gets another beside it, and the first good answer wins. One deadline, the call's own, is over all of them.
 */
export function attempts({ ports, choosing, usual, budgets, breakers }: AttemptsNeeds, call: Call, { cluster, ask, replayable, unseen = false, oneReply, plural, send }: Sending): Attempts {
  const retry = retryOf(call);
  const budget = budgets[cluster]!;
  const breaker = breakers[cluster]!;
  const { deadline } = call.life;
  budget.earn();
  const repeatable = replayable && isRepeatable(call.method);
  const most = replayable ? retry.maxAttempts : 1;
  const tried: Picked[] = [];
  let running: readonly Running[] = [];
  let answered: Picked | undefined;
  let finish = (): void => {};

  /** Sends it to one more endpoint; else says why not. */
  function start(passage: Passage | Refused, anywhere: boolean, leaving = regionsToLeave()): Failure | undefined {
    if ("over" in passage) return { kind: "circuit-open" };
    const failure = call.life.failure();
    const picked = failure !== undefined || (tried.length > 0 && !budget.spend()) ? undefined : pick(anywhere, leaving);
    if (picked === undefined) {
      passage.end();
      return failure ?? { kind: "nowhere-to-go" };
    }
    const made = tried.push(picked) - 1;
    choosing.began(picked, call.facts.keep);
    call.trace.picked = { region: picked.region, endpoint: picked.endpoint.url };
    call.trace.attempts = tried;
    const abort = ports.endsWithReply || most === 1 ? undefined : new AbortController();
    if (abort !== undefined) call.life.signal().addEventListener("abort", () => abort.abort(), { once: true });
    const signal = abort?.signal ?? (oneReply && ports.endsWithReply ? null : call.life.signal());
    const one: Running = { picked, since: ports.now(), passage, abort, settled: send(picked, made, signal).then((reply) => ({ one, result: { reply } }), (error: unknown) => ({ one, result: { error } })) };
    running = [...running, one];
    return undefined;
  }

  /** Sends it to one more endpoint, beside those that it was sent to, and says whether it did. An attempt that settles before that may be is looked at first. */
  async function startAnother(admission: Admission, leaving = regionsToLeave): Promise<boolean> {
    const admitting = admission.further();
    if (!(admitting instanceof Promise)) return start(admitting, running.length === 0, leaving()) === undefined;
    const passage = await Promise.race([admitting, ...running.map(({ settled }) => settled.then(() => undefined))]);
    if (passage !== undefined) return start(passage, running.length === 0, leaving()) === undefined;
    void admitting.then((unused) => "over" in unused || unused.end());
    return true;
  }

  function pick(anywhere: boolean, left: readonly string[]): Picked | undefined {
    const now = choosing.snapshot();
    const attempt = { tried, left, repeatable: repeatable && tried.length + 1 < most };
    return pickEndpoint(now, cluster, ask, ports.random, attempt) ?? (anywhere ? pickEndpoint(now, cluster, ask, ports.random) : undefined);
  }

  /** A neighbour may do where one endpoint answered, if only with an error: it is the nearest. A second time, or without an answer, it is the place. */
  function regionsToLeave(): readonly string[] {
    return tried.filter((picked) => picked !== answered || tried.length > 1).map(({ region }) => region);
  }

  /** Beside one that is merely late a neighbour does, too: from another region every late call would hear whether that one is dead. */
  function regionsToLeaveBeside(): readonly string[] {
    if (tried.length > 1 || most === 2) return regionsToLeave();
    const [first] = running;
    const isMerelyLate = ports.now() - first!.since < retry.perTryTimeoutMs && first!.picked.neighbours.every(({ failures, ejectedUntil }) => failures === 0 && ejectedUntil === 0);
    return isMerelyLate ? [] : regionsToLeave();
  }

  function isEarly(): boolean {
    return call.method?.idempotency === "no-side-effects" || running.some(({ picked }) => picked.seen.ejectedUntil > 0);
  }

  function ended(one: Running, { code, by }: Omit<Outcome, "ms">): void {
    if (!running.includes(one)) return;
    running = running.filter((other) => other !== one);
    const { picked, since, passage } = one;
    passage.end();
    const ms = ports.now() - since;
    if (by === "answered") answered ??= picked;
    choosing.ended(cluster, picked, { code, by, ms: oneReply ? ms : 0 }, call.facts.keep);
    if (code === "ok" && oneReply) usual.took(call.path, ms, picked);
  }

  /** Tells of an attempt how it went; undefined where it is good enough to be relayed. */
  function judge({ one, result }: Settled): Failed | undefined {
    if ("error" in result) {
      const { code, by, failed } = verdictOnFailure(failureOf(result.error), unseen);
      ended(one, { code, by: call.life.failure() === undefined ? by : "left" });
      return failed;
    }
    const { end, headers } = result.reply;
    if (end instanceof Promise) {
      one.passage.answered();
      void end.then(({ code, madeUp = false }) => ended(one, { code, by: unseen && madeUp ? "left" : "answered" }));
      return undefined;
    }
    const verdict = verdictOnReply(headers, end);
    ended(one, verdict);
    return verdict.failed;
  }

  /** Of where it was sent last. */
  function usualTime(): number {
    const last = tried.at(-1);
    return last === undefined ? 0 : usual.of(call.path, last);
  }

  /** Waits for the next attempt to settle, or until another one should begin beside them. */
  function next(mayHedge: boolean): Promise<Settled | undefined> {
    if (mayHedge) return nextOrLate();
    return running.length === 1 ? running[0]!.settled : Promise.race(running.map(({ settled }) => settled));
  }

  async function nextOrLate(): Promise<Settled | undefined> {
    const late = Promise.withResolvers<undefined>();
    const cancel = ports.after(hedgeAfter(retry, isEarly(), usualTime()), () => late.resolve(undefined));
    const settled = await Promise.race([...running.map(({ settled }) => settled), late.promise]);
    cancel();
    return settled;
  }

  /** Gives up what is under way. Whoever has been silent since `silentSince` or longer is told of as `by`. */
  function giveUp(silentSince: number, by: "silence" | "late", but?: Running): void {
    for (const one of running) {
      if (one === but) continue;
      ended(one, { code: "deadline_exceeded", by: one.since < silentSince ? by : "left" });
      one.abort?.abort();
    }
  }

  async function tryAll(admission: Admission): Promise<Reply> {
    const refused = start(admission.first, true);
    if (refused !== undefined) throw new FailureError(refused);
    let mayHedge = repeatable && oneReply && plural;
    for (;;) {
      const settled = await next(mayHedge && tried.length < most);
      if (settled === undefined) {
        mayHedge = await startAnother(admission, regionsToLeaveBeside);
        continue;
      }
      const failed = judge(settled);
      const wait = failed && retryAfter(retry, failed, repeatable, tried.length, ports.random());
      // What no other attempt could make better is the answer, whoever else is under way.
      if (failed !== undefined && wait !== undefined && call.life.failure() === undefined) {
        const isTold = failed.pushback !== null;
        if (isTold) mayHedge = false;
        if (tried.length < most && wait < call.life.remaining() && !(isTold && running.length > 0)) {
          if (running.length === 0) await sleep(ports, wait);
          if (await startAnother(admission)) continue;
        }
        if (running.length > 0) continue;
      }
      const { picked, since } = settled.one;
      giveUp("error" in settled.result ? -Infinity : since, "silence", settled.one);
      call.trace.picked = { region: picked.region, endpoint: picked.endpoint.url };
      if ("error" in settled.result) throw settled.result.error;
      return settled.result.reply;
    }
  }

  return {
    async run() {
      const admitting = breaker.call(deadline, call.facts.keep);
      const admitted = admitting instanceof Promise ? await admitting : admitting;
      if ("over" in admitted) throw new FailureError({ kind: "circuit-open" });
      finish = admitted.end;
      try {
        const reply = await tryAll(admitted);
        if (reply.end instanceof Promise) void reply.end.then(finish);
        else finish();
        return reply;
      } catch (error) {
        finish();
        throw error;
      }
    },
    over() {
      finish();
      // Whose fault it was that it took longer than its caller waits, or sends, nobody can tell.
      const isLate = oneReply && replayable && !call.timed && call.life.failure()?.kind === "deadline";
      giveUp(isLate ? ports.now() - hedgeAfter(retry, false, usualTime()) : -Infinity, "late");
    },
  };
}

function sleep(ports: Ports, ms: number): Promise<void> {
  return new Promise((resolve) => void ports.after(ms, resolve));
}
