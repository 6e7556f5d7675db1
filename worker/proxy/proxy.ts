import { callerHeaders } from "../auth/caller-headers.ts";
import { guard } from "../auth/guard.ts";
import { minting } from "../auth/mint.ts";
import { keepPrivate } from "../auth/reply.ts";
import { router } from "../core/balance/route.ts";
import type { CompiledConfig } from "../core/config/compiled.ts";
import { type Failure, failureHttpStatus, failureOf, failureToEnd, supportedEncodings } from "../core/failure.ts";
import { cors } from "../core/protocol/cors.ts";
import { encodingHeaders } from "../core/protocol/dialect.ts";
import { surveyor } from "../core/protocol/metadata.ts";
import { methodTable } from "../core/schema/method-table.ts";
import { arrival } from "./arrival.ts";
import { asker } from "./ask.ts";
import { choosing, type Known, nothingKnown } from "./choosing.ts";
import { budget } from "./budget.ts";
import { cacheHints } from "./cache-hints.ts";
import type { Call, Reply } from "./call.ts";
import { drain } from "./drain.ts";
import { explaining } from "./explaining.ts";
import { forward } from "./forward.ts";
import { type Handler, type Layer, stack } from "./layer.ts";
import { noRpc } from "./no-rpc.ts";
import type { ConnectionFacts, Ports } from "./ports.ts";
import { paidOut, slices } from "./paid-out.ts";
import { smallBody } from "./read-whole.ts";
import { recoding } from "./recoding.ts";
import { writeEnd } from "./write-reply.ts";

export interface ProxyOptions {
  readonly config: CompiledConfig;
  readonly ports: Ports;
  /** What is known of endpoints beside what the proxy's own calls tell, a health table say. Default: nothing. */
  readonly known?: Known;
  /** Layers of one's own, each in its slot; the first is outermost. Default: none. */
  readonly layers?: readonly Layer[];
}

export interface Proxy {
  /** Answers one request. Never throws. */
  fetch(request: Request, facts: ConnectionFacts): Promise<Response>;
}

/** Builds a proxy; once for an isolate. All that a call does not need to do again is done here. */
export function createProxy({ config, ports, known = nothingKnown, layers = [] }: ProxyOptions): Proxy {
  const { identity } = config.auth;
  const mint = identity.mint === null ? null : minting(identity.mint, ports);
  const pages = noRpc({ jwks: mint === null ? null : () => mint.jwks() });
  const crossOrigin = cors(config.cors);
  const needs = {
    route: router(config.routes),
    methods: methodTable(config),
    limits: config.limits,
    survey: surveyor(callerHeaders(config.auth)),
    budget: budget(config.limits.heldBytes, ports.now),
    ports,
  };
  const hint = cacheHints(config.routes);
  const askOf = asker(config, known.near);
  const chooser = choosing(config, ports, known);
  const toOrigin = forward({ ports, askOf, choosing: chooser, limits: config.limits, recoding: recoding(config.descriptors) });

  // The layers, outermost first: explaining adds to any reply why it came from where it came; rescue turns whatever is
  // thrown into a reply; the arrival slot sees the call's head; guard lets pass who may call; the departure slot sees it last;
  // forward takes it to an origin.
  const guarded = guard({ config, ports, choosing: chooser, mint }, stack(layers, "departure", toOrigin));
  const answer: Handler = explaining(config.explain, ports, rescue(ports, stack(layers, "arrival", guarded)));

  return {
    async fetch(request, facts) {
      const asked = request.headers;
      const origin = asked.get("origin");
      if (request.method === "OPTIONS" && asked.has("access-control-request-method")) {
        const { status, headers } = crossOrigin.preflight(asked);
        return new Response(null, { status, headers: headers.toInit() });
      }
      const arrived = arrival(needs, request, facts);
      if (arrived === "no-rpc") {
        await drain(ports, request);
        return pages.fetch(request);
      }
      const reply = "call" in arrived ? await answer(arrived.call) : arrived.reply;
      if (reply.early === true) await drain(ports, request, { released: "call" in arrived ? arrived.call.trace.released : undefined });
      if ("call" in arrived) {
        hint(arrived.call, reply);
        if (arrived.call.caller.guarded === true) keepPrivate(arrived.call, reply.headers);
      }
      crossOrigin.onReply(reply.headers, origin);
      return new Response(reply.body, written(reply));
    },
  };
}

/** workerd would compress a body by its content-encoding; ours already is. */
function written({ status, headers }: Reply): ResponseInit & { readonly encodeBody?: "manual" } {
  const init = { status, headers: headers.toInit() };
  return headers.has("content-encoding") ? { ...init, encodeBody: "manual" } : init;
}

/** The only catch: a failure becomes an end in the caller's dialect, anything else is a defect of ours, and logged. */
function rescue(ports: Ports, inner: Handler): Handler {
  return async (call) => {
    try {
      const reply = await inner(call);
      if (reply.end instanceof Promise) return reply;
      if (reply.body instanceof Uint8Array && reply.body.length > smallBody) return { ...reply, body: paidOut(slices(reply.body as Uint8Array<ArrayBuffer>), call, () => close(call)) };
      close(call);
      return reply;
    } catch (error) {
      const failure = failureOf(error);
      if (failure.kind === "defect") ports.log({ level: "error", event: "defect", method: call.path, error: String(error), stack: error instanceof Error ? error.stack : undefined });
      call.life.fail(failure);
      close(call);
      const reply = writeEnd(call, failureToEnd(failure), failureHttpStatus(failure));
      // https://github.com/grpc/grpc/blob/master/doc/compression.md#specification: with which the caller may try again.
      if (failure.kind === "unsupported-encoding") reply.headers.set(encodingHeaders(call.form.dialect).accept, supportedEncodings);
      return { ...reply, early: leavesUnread(failure) };
    }
  };
}

/** Whether a call that failed so may leave part of a request unread that is still on its way. */
function leavesUnread({ kind }: Failure): boolean {
  return kind !== "left" && kind !== "deadline" && kind !== "stream-idle";
}

function close(call: Call): void {
  call.life.close();
  call.account.release();
}
