import { type Failure, FailureError, failureToEnd } from "../core/failure.ts";
import { codeFromHttpStatus } from "../core/protocol/code.ts";
import { encodingHeaders } from "../core/protocol/dialect.ts";
import { type End, errorEnd, okEnd, sealedEnd } from "../core/protocol/end.ts";
import { flagCompressed, writeEnvelope } from "../core/protocol/envelope.ts";
import { replyMetadata } from "../core/protocol/metadata.ts";
import type { Call, Message, Reply } from "./call.ts";
import { type Framing, type IdleWatch, relayFramed } from "./framed.ts";
import type { Plan } from "./plan.ts";
import type { UpstreamReply } from "./ports.ts";
import {
  endInHead, foreign, headFailure, headOfTrailersOnly, isEndFlag, isForeign, isSealedEnd, isSealedError, lengthOf, metadataOf, readConnectUnary, readEnd, readGrpcWebUnary, recodeReply, streamEncoding, type WholeReply,
} from "./read-reply.ts";
import { readWhole, smallBody } from "./read-whole.ts";
import { longer } from "./recoding.ts";
import { relayBytes } from "./relay-bytes.ts";
import { endFrame, enveloped, writeWhole } from "./write-reply.ts";

export interface Relaying {
  readonly call: Call;
  readonly plan: Plan;
  /** Largest message that is held, in bytes. */
  readonly limit: number;
  readonly idle: IdleWatch | undefined;
  /** Reads what a caller is still sending to an origin that has ended the call; undefined where the request is known to be whole. */
  readonly drained: (() => Promise<void>) | undefined;
  /** Is told why a stream that has begun was not the origin's to its end. */
  readonly failed: (failure: Failure) => void;
}

/** Turns an origin's reply into the caller's. Throws a FailureError where it is none. */
export function relay(relaying: Relaying, reply: UpstreamReply): Reply | Promise<Reply> {
  const answer = write(relaying, reply);
  const { remove, set } = relaying.call.route.responseHeaders;
  if (remove.length === 0 && set.length === 0) return answer;
  return Promise.resolve(answer).then((one) => {
    for (const name of remove) one.headers.delete(name);
    for (const [name, value] of set) one.headers.set(name, value);
    return one;
  });
}

function write(relaying: Relaying, reply: UpstreamReply): Reply | Promise<Reply> {
  const { call, plan } = relaying;
  if (!plan.oneReply) return stream(relaying, reply);
  if (plan.dialect === "grpc-web") return grpcWebUnary(relaying, reply);
  if (plan.way === "pass" && headFailure(reply, plan) === undefined) return passConnectUnary(call, reply);
  // An error in an encoding that only the caller can open goes as it is.
  if (plan.way === "pass" && isSealedError(reply)) return passBody(call, reply, errorEnd(reply.status === 429 ? "resource_exhausted" : codeFromHttpStatus(reply.status), ""));
  return connectUnary(relaying, reply);
}

async function connectUnary(relaying: Relaying, reply: UpstreamReply): Promise<Reply> {
  return finish(relaying, await readConnectUnary(reply, relaying.plan, relaying.limit, relaying.call.account));
}

async function grpcWebUnary(relaying: Relaying, reply: UpstreamReply): Promise<Reply> {
  const { call, plan, limit } = relaying;
  const whole = await readGrpcWebUnary(reply, plan, limit, call.account);
  if (plan.way !== "pass" || whole.raw === undefined) return finish(relaying, whole);
  if (whole.message !== undefined && whole.message.encoding !== "identity") whole.metadata.set("grpc-encoding", whole.message.encoding);
  return enveloped(call, whole.metadata, whole.raw, whole.end);
}

/** A good unary Connect reply says in its head that it is good: its body passes as it is. */
async function passConnectUnary(call: Call, reply: UpstreamReply): Promise<Reply> {
  const length = lengthOf(reply);
  if (length === undefined || length > smallBody) return passBody(call, reply, okEnd());
  const headers = replyMetadata(reply.headers, "protocol");
  const body = await readWhole(reply.source, { declared: length, limit: smallBody, account: call.account, broken: reply.broken });
  return { status: 200, headers, body, end: okEnd() };
}

/** A body that passes as it comes; the call lives until its last byte. */
function passBody(call: Call, { status, headers, source: { body } }: UpstreamReply, end: End): Reply {
  const { promise, resolve } = Promise.withResolvers<End>();
  const onEnd = (): void => {
    call.life.close();
    call.account.release();
    resolve(end);
  };
  const relayed = body && relayBytes(body, call, onEnd);
  return { status, headers: replyMetadata(headers, "protocol"), body: relayed, end: relayed === null ? end : promise };
}

function finish({ call, plan, limit }: Relaying, { metadata, message, end }: WholeReply): Reply | Promise<Reply> {
  if (message === undefined || plan.recodeOutput === undefined) return writeWhole(call, metadata, message, end);
  return recodeReply(message, plan.recodeOutput, limit, call.account).then((recoded) => writeWhole(call, metadata, longer(message, recoded, call.account), end));
}

async function stream(relaying: Relaying, reply: UpstreamReply): Promise<Reply> {
  const { call, plan, limit } = relaying;
  const inHead = plan.dialect === "grpc-web" ? endInHead(reply) : undefined;
  if (inHead === undefined) return watch(relaying, reply, undefined);
  const body = await readWhole(reply.source, { declared: lengthOf(reply), limit, account: call.account, broken: reply.broken });
  if (body.length > 0) return watch(relaying, { ...reply, source: new Response(body) as typeof reply.source }, inHead);
  relaying.idle?.stop();
  await relaying.drained?.();
  return writeWhole(call, headOfTrailersOnly(reply), undefined, inHead);
}

function watch(relaying: Relaying, reply: UpstreamReply, inHead: End | undefined): Reply {
  const { call, plan } = relaying;
  const failure = headFailure(reply, plan);
  if (failure !== undefined) throw new FailureError(failure);

  const headers = metadataOf(reply);
  const encoding = streamEncoding(reply, plan.dialect);
  if (encoding !== "identity") headers.set(encodingHeaders(call.form.dialect).encoding, encoding);
  const { body } = reply.source;
  if (body === null) {
    relaying.idle?.stop();
    return writeWhole(call, headers, undefined, failureToEnd({ kind: "malformed-reply", what: "it has no end" }));
  }
  if (call.route.streams === "blind" && plan.way === "pass" && !call.text.reply) {
    relaying.idle?.stop();
    return enveloped(call, headers, body, okEnd());
  }
  const { promise, resolve } = Promise.withResolvers<End>();
  const framing = replyFraming(relaying, encoding, inHead, (end) => {
    resolve(end);
    relaying.idle?.stop();
    call.life.close();
    call.account.release();
  });
  return enveloped(call, headers, relayFramed(body, framing, call, relaying.idle?.moved ?? (() => {})), promise);
}

/** Watches a reply stream: messages pass or are recoded, the origin's end is read, the caller's is written last. */
function replyFraming({ call, plan, limit, drained, failed }: Relaying, encoding: string, inHead: End | undefined, onEnd: (end: End) => void): Framing {
  let end: End | undefined;
  let sealed: Uint8Array<ArrayBuffer> | undefined;
  return {
    judge(flags, length) {
      if (isEndFlag(plan.dialect, flags)) {
        if (length > 1024 * 1024) return { kind: "malformed-reply", what: "its end is larger than 1 MiB" };
        return "hold";
      }
      if (isForeign(flags)) return foreign;
      if (flags & flagCompressed && encoding === "identity") return { kind: "unexpected-compression" };
      if (plan.recodeOutput === undefined) return "relay";
      return length > limit ? { kind: "message-too-large", limit } : "hold";
    },
    async held(envelope) {
      if (isEndFlag(plan.dialect, envelope.flags)) {
        end = (await readEnd(plan.dialect, envelope, encoding, limit)) ?? inHead;
        if (end !== undefined) return null;
        if (!isSealedEnd(plan, envelope, encoding)) throw new FailureError({ kind: "malformed-reply", what: "its end cannot be read" });
        end = sealedEnd();
        sealed = writeEnvelope(envelope.flags, envelope.data);
        return null;
      }
      const message: Message = { data: envelope.data, encoding: envelope.flags & flagCompressed ? encoding : "identity" };
      const out = await recodeReply(message, plan.recodeOutput!, limit, call.account);
      return writeEnvelope(out.encoding === "identity" ? 0 : flagCompressed, out.data);
    },
    settle: drained,
    over: () => end !== undefined,
    finish(failure, clean) {
      const said = end ?? (failure === undefined && clean ? inHead : undefined);
      const fault: Failure = failure ?? { kind: "malformed-reply", what: clean ? "it has no end" : "it ends inside a message" };
      if (said === undefined) failed(fault);
      const last = said ?? failureToEnd(fault);
      onEnd(last);
      if (said === undefined && failure !== undefined) call.life.fail(failure);
      if (sealed !== undefined) return sealed;
      return clean ? endFrame(call.form.dialect, last) : null;
    },
  };
}
