import type { Picker } from "../core/balance/pick.ts";
import type { CompiledLimits } from "../core/config/compiled.ts";
import { FailureError } from "../core/failure.ts";
import { prefixLength } from "../core/protocol/envelope.ts";
import type { MethodRecoder } from "../core/schema/recode.ts";
import type { Call } from "./call.ts";
import { idleWatch, relayFramed } from "./framed.ts";
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
  return async (call) => {
    checkEncoding(call);
    const way = plan(call, recoderOf);
    const idle = way.oneReply ? undefined : idleWatch(ports, call.life, call.route.idleTimeoutMs);
    try {
      const pick = pickers[call.route.cluster]!(ports.random());
      if (pick === undefined) throw new FailureError({ kind: "transport", reached: "no", cause: "no endpoint has a weight" });
      const outgoing = await readRequest(call, way, limits, idle?.moved ?? (() => {}));
      const reply = await ports.transport(writeRequest(call, way, pick.endpoint, outgoing));
      if ("failure" in reply) {
        if (call.life.failure() === undefined) ports.log({ level: "warn", event: "upstream-failed", method: call.path, endpoint: pick.endpoint.url, ...reply.failure });
        throw new FailureError(reply.failure);
      }
      idle?.moved();
      return await relay({ call, plan: way, limit: limits.responseMessageBytes, idle }, reply);
    } catch (error) {
      idle?.stop();
      throw call.life.failure() === undefined ? error : new FailureError(call.life.failure()!);
    }
  };
}

async function readRequest(call: Call, way: Plan, limits: CompiledLimits, moved: () => void): Promise<Outgoing> {
  const limit = limits.requestMessageBytes;
  const { body, headers } = call.request;
  if (way.oneRequest && !(body !== null && mayPipe(call, way, declaredLength(headers), limit))) {
    // Nothing but this read can wait for a caller: an upstream call ends with the call's signal.
    const message = await call.life.orOver(readMessage(call, limit, way.recodeInput));
    if (message === undefined) throw new FailureError(call.life.failure()!);
    return message;
  }
  if (body === null) return new ReadableStream({ start: (controller) => controller.close() });
  if (way.oneRequest) return body;
  return relayFramed(body, requestFraming(call, limit, way.recodeInput), call, moved);
}

/**
 * An uncompressed body that may pass as it is and whose head tells its size is piped: nothing of its inside has to be
 * known, and reading it here would cost a fifth of the whole call on workerd.
 */
function mayPipe(call: Call, way: Plan, declared: number | undefined, limit: number): boolean {
  const room = way.dialect === "grpc-web" ? prefixLength : 0;
  return way.way === "pass" && call.get === null && !call.text.request && call.encoding === "identity" && declared !== undefined && declared <= limit + room;
}
