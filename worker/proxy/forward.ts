import { pickCluster, pickEndpoint, type Picked } from "../core/balance/pick.ts";
import type { Snapshot } from "../core/balance/snapshot.ts";
import type { CompiledLimits } from "../core/config/compiled.ts";
import { FailureError, failureOf, failureToEnd } from "../core/failure.ts";
import type { End } from "../core/protocol/end.ts";
import { prefixLength } from "../core/protocol/envelope.ts";
import type { MethodRecoder } from "../core/schema/recode.ts";
import type { AskOf } from "./ask.ts";
import type { Call, Reply } from "./call.ts";
import { type IdleWatch, idleWatch, relayFramed } from "./framed.ts";
import type { Handler } from "./layer.ts";
import { type Plan, plan } from "./plan.ts";
import type { Ports } from "./ports.ts";
import { checkEncoding, readOnlyRequest, requestFraming } from "./read-request.ts";
import { declaredLength } from "./read-whole.ts";
import { relay } from "./relay.ts";
import { type Outgoing, writeRequest } from "./write-request.ts";

export interface ForwardNeeds {
  readonly ports: Ports;
  readonly limits: CompiledLimits;
  readonly snapshot: () => Snapshot;
  readonly askOf: AskOf;
  readonly recoderOf: (path: string) => MethodRecoder | undefined;
}

/** Takes a call to one of its cluster's endpoints, and relays what comes back. Throws a FailureError where that cannot be. */
export function forward({ ports, limits, snapshot, askOf, recoderOf }: ForwardNeeds): Handler {
  async function exchange(call: Call, way: Plan, picked: Picked, idle: IdleWatch | undefined): Promise<Reply> {
    const outgoing = await readRequest(call, way, limits, idle?.moved ?? (() => {}));
    const signal = idle === undefined && ports.endsWithReply ? null : call.life.signal;
    const reply = await ports.transport(writeRequest(call, way, picked.endpoint, outgoing, signal));
    if ("failure" in reply) {
      if (call.life.failure() === undefined) ports.log({ level: "warn", event: "upstream-failed", method: call.path, endpoint: picked.endpoint.url, ...reply.failure });
      throw new FailureError(reply.failure);
    }
    idle?.moved();
    return relay({ call, plan: way, limit: limits.responseMessageBytes, idle }, reply);
  }

  return async (call) => {
    checkEncoding(call);
    const now = snapshot();
    const ask = askOf(call);
    const at = pickCluster(now, ask, ports.random);
    const { cluster } = now.clusters[at]!;
    const way = plan(call, cluster, recoderOf);
    call.trace.cluster = at;
    call.trace.snapshot = now;
    const picked = pickEndpoint(now, at, ask, ports.random);
    if (picked === undefined) throw new FailureError({ kind: "nowhere-to-go" });
    call.trace.picked = { region: picked.region, endpoint: picked.endpoint.url };
    // A caller that leaves unseen would never be counted out.
    if (cluster.choice === "least-pending") void call.life.signal;
    const idle = way.oneReply ? undefined : idleWatch(ports, call.life, call.route.idleTimeoutMs);
    try {
      const reply = await call.life.orOver(exchange(call, way, picked, idle));
      if (reply === undefined) throw new FailureError(call.life.failure()!);
      whenEnded(reply, picked.done);
      return reply;
    } catch (error) {
      idle?.stop();
      picked.done(failureToEnd(failureOf(error)));
      throw error;
    }
  };
}

function whenEnded({ end }: Reply, then: (end: End) => void): void {
  if (end instanceof Promise) void end.then(then);
  else then(end);
}

function readRequest(call: Call, way: Plan, limits: CompiledLimits, moved: () => void): Outgoing | Promise<Outgoing> {
  const limit = limits.requestMessageBytes;
  if (way.oneRequest && !mayPipe(call, way, limit)) return readOnlyRequest(call, way, limit);
  const { body } = call.request;
  if (body === null) return new ReadableStream({ start: (controller) => controller.close() });
  if (way.oneRequest) return body;
  return relayFramed(body, requestFraming(call, limit, way.recodeInput), call, moved);
}

/**
 * An uncompressed body that may pass as it is and whose head tells its size is piped: nothing of its inside has to be
 * known, and reading it here would cost a fifth of the whole call on workerd.
 */
function mayPipe(call: Call, way: Plan, limit: number): boolean {
  if (way.way !== "pass" || call.get !== null || call.text.request || call.encoding !== "identity") return false;
  const declared = declaredLength(call.request.headers) ?? 0;
  return declared > 0 && declared <= limit + (way.dialect === "grpc-web" ? prefixLength : 0);
}
