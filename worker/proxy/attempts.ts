import type { Passage, Refused } from "../core/balance/breaker.ts";
import type { Admission } from "./breaking.ts";
import type { Outcome } from "../core/balance/observation.ts";
import { type Picked, pickEndpoint } from "../core/balance/pick.ts";
import { type Failed, hedgeAfter, isRepeatable, retryAfter, type RetryBudget, retryOf } from "../core/balance/retry.ts";
import type { CompiledRetry } from "../core/config/compiled.ts";
import { type Failure, FailureError, failureOf } from "../core/failure.ts";
import type { Call, Reply } from "./call.ts";
import { afterwards } from "./lifetime.ts";
import type { AttemptsNeeds, Running, Sending, Settled } from "./sending.ts";
import { isSpotless, regionsToLeave } from "./leaving.ts";
import { sleep } from "./within.ts";
import { verdictOnFailure, verdictOnReply } from "./verdict.ts";

/**
 * Sends a call to an endpoint, and to another one where it failed and may be repeated. One that has not answered for too
 * long gets another beside it, and the first good answer wins. One deadline, the call's own, is over all of them.
 * A class, as there is one for each call: closures would be made anew for each.
 */
export class Attempts {
  readonly #needs: AttemptsNeeds;
  readonly #call: Call;
  readonly #sending: Sending;
  readonly #retry: CompiledRetry;
  readonly #budget: RetryBudget;
  readonly #repeatable: boolean;
  readonly #most: number;
  readonly #tried: Picked[] = [];
  #running: readonly Running[] = [];
  #answered: Picked | undefined;
  #notBefore = -Infinity;
  /** Of an attempt that has not begun. */
  #waiting: Passage | undefined;
  #admission: Admission | undefined;

  constructor(needs: AttemptsNeeds, call: Call, sending: Sending) {
    this.#needs = needs;
    this.#call = call;
    this.#sending = sending;
    this.#retry = retryOf(call);
    this.#repeatable = sending.replayable && isRepeatable(call.method);
    this.#most = sending.replayable ? this.#retry.maxAttempts : 1;
    this.#budget = needs.budgets[sending.cluster]!;
    this.#budget.earn();
  }

  /** The reply to relay, of the first attempt that is good or of the last that is not. Rejects where that was none. */
  async run(): Promise<Reply> {
    const { life, facts } = this.#call;
    const admitting = this.#needs.breakers[this.#sending.cluster]!.call(life.deadline, facts.keep);
    const admitted = admitting instanceof Promise ? await admitting : admitting;
    if ("over" in admitted) throw new FailureError({ kind: "circuit-open" });
    this.#admission = admitted;
    try {
      const reply = await this.#tryAll(admitted);
      if (reply.end instanceof Promise) void reply.end.then(admitted.end);
      else admitted.end();
      return reply;
    } catch (error) {
      admitted.end();
      throw error;
    }
  }

  /** The call is over, and with it all attempts. */
  over(): void {
    const { life, timed } = this.#call;
    const { oneReply, replayable } = this.#sending;
    this.#waiting?.end();
    this.#admission?.end();
    // Whose fault it was that it took longer than its caller waits, or sends, nobody can tell.
    const isLate = oneReply && replayable && !timed && life.failure()?.kind === "deadline";
    this.#giveUp(isLate ? this.#needs.ports.now() - hedgeAfter(this.#retry, false, this.#usualTime()) : -Infinity, "late");
  }

  async #tryAll(admission: Admission): Promise<Reply> {
    const { life } = this.#call;
    const refused = this.#start(admission.first, true, none);
    if (refused !== undefined) throw new FailureError(refused);
    let mayHedge = this.#repeatable && this.#sending.oneReply && this.#sending.plural;
    for (;;) {
      const settled = await this.#next(mayHedge && this.#tried.length < this.#most);
      if (settled === undefined) {
        mayHedge = await this.#startAnother(admission, true);
        continue;
      }
      const failed = this.#judge(settled);
      const wait = failed && this.#waitAfter(failed);
      // What no other attempt could make better is the answer, whoever else is under way.
      if (failed !== undefined && wait !== undefined && life.failure() === undefined) {
        const isTold = failed.pushback !== null;
        if (isTold) mayHedge = false;
        const mayStart = this.#tried.length < this.#most && wait < life.remaining() && !(isTold && this.#running.length > 0);
        if (mayStart && (await this.#startAnother(admission, false, this.#running.length === 0 ? wait : 0))) continue;
        if (this.#running.length > 0) continue;
      }
      return this.#answer(settled);
    }
  }

  /** What an origin said of another attempt holds for all that follow. */
  #waitAfter(failed: Failed): number | undefined {
    const wait = retryAfter(this.#retry, failed, this.#repeatable, this.#tried.length, this.#needs.ports.random());
    if (wait === undefined) return undefined;
    const now = this.#needs.ports.now();
    if (failed.pushback !== null) this.#notBefore = Math.max(this.#notBefore, now + wait);
    return Math.max(wait, this.#notBefore - now);
  }

  #answer({ one, result }: Settled): Reply {
    const { picked, since } = one;
    if (this.#running.length > 0) this.#giveUp("error" in result ? -Infinity : since, "silence", one);
    this.#call.trace.picked = { region: picked.region, endpoint: picked.endpoint.url };
    if ("error" in result) throw result.error;
    return result.reply;
  }

  /** Sends it to one more endpoint; else says why not. */
  #start(passage: Passage | Refused, anywhere: boolean, leaving: readonly string[]): Failure | undefined {
    if ("over" in passage) return { kind: "circuit-open" };
    const { life, facts, trace } = this.#call;
    const failure = life.failure();
    const picked = failure !== undefined || (this.#tried.length > 0 && !this.#budget.has()) ? undefined : this.#pick(anywhere, leaving);
    if (picked === undefined) {
      passage.end();
      return failure ?? { kind: "nowhere-to-go" };
    }
    const { ports, choosing } = this.#needs;
    if (this.#tried.length > 0) this.#budget.spend();
    const made = this.#tried.push(picked) - 1;
    choosing.began(picked, facts.keep);
    trace.picked = { region: picked.region, endpoint: picked.endpoint.url };
    trace.attempts = this.#tried;
    const abort = ports.endsWithReply || this.#most === 1 ? undefined : new AbortController();
    if (abort !== undefined) life.signal().addEventListener("abort", () => abort.abort(), { once: true });
    const signal = abort?.signal ?? this.#signal();
    const settled = this.#sending.send(picked, made, signal).then((reply) => ({ one, result: { reply } }), (error: unknown) => ({ one, result: { error } }));
    const one: Running = { picked, since: ports.now(), passage, abort, settled };
    this.#running = [...this.#running, one];
    return undefined;
  }

  #signal(): AbortSignal | null {
    const { life, trace } = this.#call;
    const { oneReply, replayable } = this.#sending;
    if (!this.#needs.ports.endsWithReply) return life.signal();
    if (oneReply) return null;
    return replayable ? life.signal() : afterwards(life, () => trace.answered === true);
  }

  /**
   * Sends it to one more endpoint after so many milliseconds, beside those that it was sent to, and says whether it did. An attempt that settles before that
   * may be is looked at first. Who may have none is not kept waiting.
   */
  async #startAnother(admission: Admission, beside: boolean, wait = 0): Promise<boolean> {
    if (!this.#budget.has()) return false;
    const admitting = admission.further();
    const startOne = (passage: Passage | Refused): boolean => this.#start(passage, this.#running.length === 0, this.#regionsToLeave(beside)) === undefined;
    const passage = admitting instanceof Promise ? await Promise.race([admitting, ...this.#running.map(({ settled }) => settled.then(() => undefined))]) : admitting;
    if (passage !== undefined && wait > 0 && !("over" in passage)) {
      this.#waiting = passage;
      await sleep(this.#needs.ports, wait);
    }
    if (passage !== undefined) return startOne(passage);
    void (admitting as Promise<Passage | Refused>).then((unused) => "over" in unused || unused.end());
    return true;
  }

  #pick(anywhere: boolean, left: readonly string[]): Picked | undefined {
    const { choosing, ports } = this.#needs;
    const { cluster, ask } = this.#sending;
    const tried = this.#tried;
    const now = choosing.snapshot();
    const attempt = { tried, left, repeatable: this.#repeatable && tried.length + 1 < this.#most };
    return pickEndpoint(now, cluster, ask, ports.random, attempt) ?? (anywhere ? pickEndpoint(now, cluster, ask, ports.random) : undefined);
  }

  /** `beside`: while those that it was sent to have not answered. */
  #regionsToLeave(beside: boolean): readonly string[] {
    const [first] = this.#running;
    const isLate = first === undefined || this.#needs.ports.now() - first.since >= this.#retry.perTryTimeoutMs;
    if (beside && !isLate && this.#tried.length === 1 && this.#most > 2 && isSpotless(first.picked)) return none;
    return regionsToLeave(this.#tried, this.#answered);
  }

  #ended(one: Running, { code, by }: Omit<Outcome, "ms">): void {
    if (!this.#running.includes(one)) return;
    this.#running = this.#running.filter((other) => other !== one);
    const { picked, since, passage } = one;
    const { ports, choosing, usual } = this.#needs;
    const { cluster, oneReply } = this.#sending;
    passage.end();
    const ms = ports.now() - since;
    if (by === "answered") this.#answered ??= picked;
    choosing.ended(cluster, picked, { code, by, ms: oneReply ? ms : 0 }, this.#call.facts.keep);
    if (code === "ok" && oneReply) usual.took(this.#call.path, ms, picked);
  }

  /** Tells of an attempt how it went; undefined where it is good enough to be relayed. */
  #judge({ one, result }: Settled): Failed | undefined {
    const { unseen = false } = this.#sending;
    if ("error" in result) {
      const { code, by, failed } = verdictOnFailure(failureOf(result.error), unseen);
      this.#ended(one, { code, by: this.#call.life.failure() === undefined ? by : "left" });
      return failed;
    }
    const { end, headers } = result.reply;
    if (end instanceof Promise) {
      one.passage.answered();
      void end.then(({ code, madeUp = false }) => this.#ended(one, { code, by: unseen && madeUp ? "left" : "answered" }));
      return undefined;
    }
    const verdict = verdictOnReply(headers, end);
    this.#ended(one, verdict);
    return verdict.failed;
  }

  /** Waits for the next attempt to settle, or until another one should begin beside them. */
  #next(mayHedge: boolean): Promise<Settled | undefined> {
    if (mayHedge) return this.#nextOrLate();
    return this.#running.length === 1 ? this.#running[0]!.settled : Promise.race(this.#running.map(({ settled }) => settled));
  }

  async #nextOrLate(): Promise<Settled | undefined> {
    const late = Promise.withResolvers<undefined>();
    const isEarly = this.#call.method?.idempotency === "no-side-effects" || this.#running.some(({ picked }) => picked.seen.ejectedUntil > 0);
    const cancel = this.#needs.ports.after(hedgeAfter(this.#retry, isEarly, this.#usualTime()), () => late.resolve(undefined));
    const settled = await Promise.race([...this.#running.map(({ settled: one }) => one), late.promise]);
    cancel();
    return settled;
  }

  /** Of where it was sent last. */
  #usualTime(): number {
    const last = this.#tried.at(-1);
    return last === undefined ? 0 : this.#needs.usual.of(this.#call.path, last);
  }

  /** Gives up what is under way. Whoever has been silent since `silentSince` or longer is told of as `by`. */
  #giveUp(silentSince: number, by: "silence" | "late", but?: Running): void {
    for (const one of this.#running) {
      if (one === but) continue;
      this.#ended(one, { code: "deadline_exceeded", by: one.since < silentSince ? by : "left" });
      one.abort?.abort();
    }
  }
}

const none: readonly string[] = [];
