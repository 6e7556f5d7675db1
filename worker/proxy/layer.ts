import type { Code } from "../core/protocol/code.ts";
import { errorEnd } from "../core/protocol/end.ts";
import type { Call, Reply } from "./call.ts";
import { writeEnd } from "./write-reply.ts";

/** Takes a call and answers it. */
export type Handler = (call: Call) => Promise<Reply>;

/**
 * A layer of one's own. It may change `call.metadata` before `next`, the reply's headers after it, or answer by itself
 * with `refuse`.
 *
 * Slots:
 * - `arrival`: the call's head has been read and its route found; nothing of its body. Nobody knows yet who calls, and whether they may.
 * - `departure`: innermost, right before an endpoint is chosen; `call.caller` says who calls.
 */
export interface Layer {
  readonly name: string;
  readonly slot: "arrival" | "departure";
  readonly handle: (call: Call, next: Handler) => Promise<Reply>;
}

/** An error reply in the caller's dialect. The message reaches the caller. */
export function refuse(call: Call, code: Exclude<Code, "ok">, message: string): Reply {
  return { ...writeEnd(call, errorEnd(code, message)), early: true };
}

/** Wraps `inner` in the layers of a slot, the first outermost. */
export function stack(layers: readonly Layer[], slot: Layer["slot"], inner: Handler): Handler {
  return layers
    .filter((layer) => layer.slot === slot)
    .reduceRight<Handler>((next, layer) => (call) => layer.handle(call, next), inner);
}
