import type { Picker } from "../core/balance/pick.ts";
import type { CompiledLimits } from "../core/config/compiled.ts";
import { FailureError } from "../core/failure.ts";
import { prefixLength } from "../core/protocol/envelope.ts";
import type { MethodRecoder } from "../core/schema/recode.ts";
import type { Call, Reply } from "./call.ts";
import { type IdleWatch, idleWatch, relayFramed } from "./framed.ts";
import type { Handler } from "./layer.ts";
import { type Plan, plan } from "./plan.ts";
import type { Ports } from "./ports.ts";
import { checkEncoding, readMessage, requestFraming } from "./read-request.ts";
import { declaredLength } from "./read-whole.ts";
import { relay } from "./relay.ts";
import { type Outgoing, writeRequest } from "./write-request.ts";

export interface ForwardNeeds {
  readonly ports: Ports;
  readonly limits: CompiledLimits;
  /** A picker for each cluster, by index. */
  readonly pickers: readonly Picker[];
  readonly recoderOf: (path: string) => MethodRecoder | undefined;
}

/** Takes a call to one of its cluster's endpoints, and relays what comes back. Throws a FailureError where that cannot be. */
export function forward({ ports, limits, pickers, recoderOf }: ForwardNeeds): Handler {
  async function exchange(call: Call, way: Plan, idle: IdleWatch | undefined): Promise<Reply> {
    const pick = pickers[call.route.cluster]!(ports.random());
    if (pick === undefined) throw new FailureError({ kind: "transport", reached: "no", cause: "no endpoint has a weight" });
    const outgoing = await readRequest(call, way, limits, idle?.moved ?? (() => {}));
    const signal = idle === undefined && ports.endsWithReply ? null : call.life.signal;
    const reply = await ports.transport(writeRequest(call, way, pick.endpoint, outgoing, signal));
    if ("failure" in reply) {
      if (call.life.failure() === undefined) ports.log({ level: "warn", event: "upstream-failed", method: call.path, endpoint: pick.endpoint.url, ...reply.failure });
      throw new FailureError(reply.failure);
    }
    idle?.moved();
    return relay({ call, plan: way, limit: limits.responseMessageBytes, idle }, reply);
  }

  return async (call) => {
    checkEncoding(call);
    const way = plan(call, recoderOf);
    const idle = way.oneReply ? undefined : idleWatch(ports, call.life, call.route.idleTimeoutMs);
    try {
      const reply = await call.life.orOver(exchange(call, way, idle));
      if (reply !== undefined) return reply;
    } catch (error) {
      idle?.stop();
      throw error;
    }
    idle?.stop();
    throw new FailureError(call.life.failure()!);
  };
}

function readRequest(call: Call, way: Plan, limits: CompiledLimits, moved: () => void): Outgoing | Promise<Outgoing> {
  const limit = limits.requestMessageBytes;
  if (way.oneRequest && !mayPipe(call, way, limit)) return readMessage(call, limit, way.recodeInput);
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
