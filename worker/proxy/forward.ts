import { pickCluster, type Picked } from "../core/balance/pick.ts";
import { isRepeatable, retryBudget, retryOf } from "../core/balance/retry.ts";
import type { CompiledCluster, CompiledLimits } from "../core/config/compiled.ts";
import { type Failure, FailureError, failureOf } from "../core/failure.ts";
import type { AskOf } from "./ask.ts";
import { Attempts } from "./attempts.ts";
import { breaking } from "./breaking.ts";
import type { Call, Reply } from "./call.ts";
import type { Choosing } from "./choosing.ts";
import { drain } from "./drain.ts";
import { type IdleWatch, idleWatch, relayFramed } from "./framed.ts";
import type { Handler } from "./layer.ts";
import { type Plan, plan } from "./plan.ts";
import type { Ports } from "./ports.ts";
import { checkEncoding, readOnlyRequest, requestFraming } from "./read-request.ts";
import { smallBody } from "./read-whole.ts";
import type { Recoding } from "./recoding.ts";
import { relay } from "./relay.ts";
import { usuals } from "./usual.ts";
import { type Outgoing, writeRequest } from "./write-request.ts";

export interface ForwardNeeds {
  readonly ports: Ports;
  readonly limits: CompiledLimits;
  readonly choosing: Choosing;
  readonly askOf: AskOf;
  readonly recoding: Recoding;
}

/** An origin's end waits so many milliseconds for a caller that might be sending. */
const quietMs = 100;

/** Takes a call to its cluster's endpoints, and relays what comes back. Throws a FailureError where that cannot be. */
export function forward({ ports, limits, choosing, askOf, recoding }: ForwardNeeds): Handler {
  const { clusters } = choosing.snapshot();
  const needs = { ports, choosing, usual: usuals(), budgets: clusters.map(retryBudget), breakers: clusters.map(({ cluster }) => breaking(ports, cluster)) };

  const toldAt = new Map<string, number>();

  /** Of an origin, or the way to it, an operator should hear; what an HTTP status says the caller is told as well. Of replies that callers may ask for as often as they like one a second is told. */
  function tell(call: Call, endpoint: string, failure: Failure): void {
    const { kind } = failure;
    if (kind !== "transport" && kind !== "malformed-reply" && kind !== "malformed-reply-type" && kind !== "reply-count" && kind !== "reply-unwritable") return;
    const now = ports.now();
    const key = `${endpoint} ${kind}`;
    if (kind !== "transport" && Math.abs(now - (toldAt.get(key) ?? -Infinity)) < 1000) return;
    toldAt.set(key, now);
    ports.log({ level: "warn", event: "upstream-failed", method: call.path, endpoint, ...failure });
  }

  async function send(call: Call, way: Plan, outgoing: Outgoing, idle: IdleWatch | undefined, picked: Picked, made: number, signal: AbortSignal | null): Promise<Reply> {
    const request = writeRequest(call, way, picked.endpoint, outgoing, signal);
    if (made > 0) request.headers.set("grpc-previous-rpc-attempts", String(made));
    const failed = (failure: Failure): void => {
      if (call.life.failure() === undefined && signal?.aborted !== true) tell(call, picked.endpoint.url, failure);
    };
    const reply = await ports.transport(request);
    if ("failure" in reply) {
      failed(reply.failure);
      throw new FailureError(reply.failure);
    }
    call.trace.answered = true;
    const { released } = call.trace;
    const drained = released && (() => drain(ports, call.request, { released, quietMs }));
    idle?.moved();
    // Of a stream that has begun the request is not sent again.
    if (!way.oneReply && !(outgoing instanceof ReadableStream)) call.account.give(outgoing.data.length);
    try {
      return await relay({ call, plan: way, limit: limits.responseMessageBytes, idle, drained, failed }, reply);
    } catch (error) {
      failed(failureOf(error));
      // What nobody reads holds its connection: on Deno until memory is collected.
      void reply.source.body?.cancel().catch(() => {});
      throw error;
    }
  }

  return async (call) => {
    checkEncoding(call);
    const read = choosing.freshen(call.facts.keep);
    if (read !== undefined) await read;
    // Before the snapshot: where a call comes from tells whose probes it goes by.
    const ask = askOf(call);
    const now = choosing.snapshot();
    const at = pickCluster(now, ask, ports.random);
    const { cluster } = now.clusters[at]!;
    const loading = cluster.codecs.includes(call.form.codec) ? undefined : recoding.load();
    if (loading !== undefined) await loading;
    const way = plan(call, cluster, recoding.of);
    call.trace.cluster = at;
    call.trace.snapshot = now;
    call.trace.ask = ask;
    // A caller that leaves unseen would not be counted out.
    if (cluster.choice === "least-pending" || cluster.circuitBreaker !== null) void call.life.signal();
    const idle = way.oneReply ? undefined : idleWatch(ports, call.life, call.route.idleTimeoutMs);
    let trying: Attempts | undefined;
    const work = async (): Promise<Reply> => {
      if (call.caller.token !== undefined) call.metadata.set("authorization", `Bearer ${await call.caller.token(cluster.name)}`);
      const outgoing = await readRequest(call, way, cluster, limits, idle?.moved ?? (() => {}));
      const replayable = !(outgoing instanceof ReadableStream) && outgoing.data.length <= smallBody;
      trying = new Attempts(needs, call, { cluster: at, ask, replayable, unseen: way.oneRequest && outgoing instanceof ReadableStream && outgoing === call.request.body, oneReply: way.oneReply, plural: isPlural(cluster), send: (...one) => send(call, way, outgoing, idle, ...one) });
      return trying.run();
    };
    try {
      const reply = await call.life.orOver(work());
      if (reply !== undefined) return reply;
    } catch (error) {
      idle?.stop();
      throw error;
    }
    idle?.stop();
    trying?.over();
    throw new FailureError(call.life.failure()!);
  };
}

/** A request that its caller does not send to its end: the caller left, or writes it wrongly. */
const brokenBody: Failure = { kind: "malformed-request", what: "the body broke off" };

function readRequest(call: Call, way: Plan, cluster: CompiledCluster, limits: CompiledLimits, moved: () => void): Outgoing | Promise<Outgoing> {
  const limit = limits.requestMessageBytes;
  if (way.oneRequest && !mayPipe(call, way, cluster, limit)) return readOnlyRequest(call, way, limit);
  const { body } = call.request;
  if (body === null) return new ReadableStream({ start: (controller) => controller.close() });
  if (way.oneRequest) return body;
  return relayFramed(body, requestFraming(call, limit, way.recodeInput), call, moved, brokenBody);
}

/**
 * An uncompressed body that may pass as it is and whose head tells its size is piped where no second attempt could need
 * it: nothing of its inside has to be known, and reading it here would cost a tenth of the whole call on workerd. In envelopes
 * there could be more than the one message, which only reading tells.
 */
function mayPipe(call: Call, way: Plan, cluster: CompiledCluster, limit: number): boolean {
  // A breaker must not count a call whose caller is silent.
  if (cluster.circuitBreaker !== null || way.way !== "pass" || call.form.dialect !== "connect-unary" || call.encoding !== "identity") return false;
  const declared = call.declared ?? 0;
  if (declared === 0 || declared > limit) return false;
  return declared > smallBody || retryOf(call).maxAttempts === 1 || !(isRepeatable(call.method) || isPlural(cluster));
}

/** Whether a call that did not reach one endpoint could go to another. */
function isPlural({ localities }: CompiledCluster): boolean {
  return localities.length > 1 || localities[0]!.endpoints.length > 1;
}
