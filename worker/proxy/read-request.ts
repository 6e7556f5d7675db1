import { type Failure, FailureError } from "../core/failure.ts";
import { base64Decoder } from "../core/protocol/base64.ts";
import { checkGzip, encodingFrom, gunzip, gzip, gzipRoom, isPassable } from "../core/protocol/compression.ts";
import { concat, envelopePrefix, flagCompressed, prefixLength, splitEnvelopes, writeEnvelope } from "../core/protocol/envelope.ts";
import type { Recode } from "../core/schema/recode.ts";
import type { Account } from "./budget.ts";
import type { Call, Message } from "./call.ts";
import type { Framing } from "./framed.ts";
import { paidOut, shifted } from "./paid-out.ts";
import type { Plan } from "./plan.ts";
import { longer, recodeOn } from "./recoding.ts";
import { readPieces, readWhole, smallBody, smallestStep } from "./read-whole.ts";
import type { Outgoing } from "./write-request.ts";

/** Room for the envelope's prefix, and for what base64 adds at its end. */
const framingRoom = 64;

const left: Failure = { kind: "left" };
const notGzip: Failure = { kind: "malformed-request", what: "the message cannot be decompressed" };

/** The encodings of a request are the ones that the proxy opens or lets through. */
export function checkEncoding(call: Call): void {
  if (!isPassable(call.encoding)) throw new FailureError({ kind: "unsupported-encoding", name: call.encoding });
}

/**
 * Reads the only message of a call, for the origin's dialect and codec. Throws a FailureError on what is no such call.
 * A large one whose bytes stay as they are is sent on in the pieces in which it came: nothing is gained by joining them.
 */
export function readOnlyRequest(call: Call, plan: Plan, limit: number): Promise<Outgoing> {
  const framed = call.form.dialect !== "connect-unary";
  const staysAsItIs = framed ? plan.way === "pass" && call.get === null && !call.text.request : plan.way !== "recode";
  const asItIs = staysAsItIs && call.encoding === "identity";
  return asItIs && (call.declared ?? Infinity) > smallBody ? readInPieces(call, plan, limit) : readMessage(call, limit, plan.recodeInput);
}

async function readInPieces(call: Call, plan: Plan, limit: number): Promise<Outgoing> {
  const { request, form, account } = call;
  const framed = form.dialect !== "connect-unary";
  const pieces = await readPieces(request, { declared: call.declared, limit, room: framed ? prefixLength : 0, account, broken: left });
  const size = pieces.reduce((sum, { length }) => sum + length, 0);
  if (framed && (size <= smallBody || !isOneMessage(pieces[0]!, size))) return onlyMessage(call, concat(pieces));
  if (size <= smallBody) return { data: concat(pieces), encoding: "identity" };
  if (!framed && plan.dialect === "grpc-web") pieces.unshift(envelopePrefix(0, size));
  return paidOut(shifted(pieces), call, () => {});
}

/** Whether a body of this size that begins so is one uncompressed message, whose envelope takes all of it. */
function isOneMessage(beginning: Uint8Array, size: number): boolean {
  return envelopePrefix(0, size - prefixLength).every((byte, i) => byte === beginning[i]);
}

function roomOf({ encoding }: Call, limit: number): number {
  return encoding === "gzip" ? gzipRoom(limit) : 0;
}

async function readMessage(call: Call, limit: number, recode: Recode | undefined): Promise<Message> {
  const message = await readOnly(call, limit);
  if (recode === undefined) return sized(message, limit);
  return longer(message, await recoded(message, recode, limit, call.account), call.account);
}

function readOnly(call: Call, limit: number): Message | Promise<Message> {
  const { request, encoding } = call;
  if (call.get !== null) return { data: call.get.message, encoding };
  if (call.form.dialect === "connect-unary") return readWhole(request, { declared: call.declared, limit, room: roomOf(call, limit), account: call.account, broken: left, atOnce: smallestStep }).then((data) => ({ data, encoding }));
  return readFramed(call, limit);
}

async function readFramed(call: Call, limit: number): Promise<Message> {
  const { request } = call;
  const room = framingRoom + roomOf(call, limit);
  const asText = call.text.request ? Math.ceil((limit + room) / 3) * 4 - limit : room;
  const body = await readWhole(request, { declared: call.declared, limit, room: asText, account: call.account, broken: left, atOnce: smallestStep });
  return onlyMessage(call, call.text.request ? decodeText(body) : body);
}

function onlyMessage(call: Call, body: Uint8Array<ArrayBuffer>): Message {
  const { envelopes, rest } = splitEnvelopes(body, 2);
  if (rest.length > 0 && envelopes.length < 2) throw new FailureError({ kind: "malformed-request", what: "the body ends inside a message" });
  const [envelope, second] = envelopes;
  if (envelope === undefined || second !== undefined) {
    throw new FailureError({ kind: "wrong-message-count", what: `a call of this method has one message: current value is ${envelopes.length === 0 ? "none" : "more"}` });
  }
  return { data: envelope.data, encoding: encodingOf(call, envelope.flags) };
}

/** The encoding of an envelope, by its flags; throws where they say what cannot be. */
function encodingOf(call: Call, flags: number): string {
  const failure = flagFailure(call, flags);
  if (failure !== undefined) throw new FailureError(failure);
  return flags === 0 ? "identity" : call.encoding;
}

function flagFailure(call: Call, flags: number): Failure | undefined {
  if ((flags & ~flagCompressed) !== 0) return { kind: "malformed-request", what: `an envelope's flags must be 0 or 1: current value is ${flags}` };
  return flags !== 0 && call.encoding === "identity" ? { kind: "unexpected-compression" } : undefined;
}

/** Judges a message by its size when open; one that the proxy cannot open is judged as it is. */
function sized(message: Message, limit: number): Message | Promise<Message> {
  if (message.encoding === "gzip" && message.data.length > 0) return checkGzip(message.data, limit, notGzip).then(() => message);
  if (message.data.length > limit) throw new FailureError({ kind: "message-too-large", limit });
  return message;
}

function endsWhole(text: { finish(): void } | undefined): boolean {
  try {
    text?.finish();
    return true;
  } catch {
    return false;
  }
}

function decodeText(body: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  const decoder = base64Decoder();
  try {
    const pieces: Uint8Array<ArrayBuffer>[] = [];
    for (let at = 0; at < body.length; at += smallBody) pieces.push(decoder.push(body.subarray(at, at + smallBody)));
    decoder.finish();
    return concat(pieces);
  } catch {
    throw new FailureError({ kind: "malformed-request", what: "the body is not base64" });
  }
}

/** Rewrites a request message to the origin's codec; compressed ones are opened and closed again. */
async function recoded(message: Message, recode: Recode, limit: number, account: Account): Promise<Message> {
  const encoding = encodingFrom(message.encoding);
  if (encoding === undefined) throw new FailureError({ kind: "unsupported-encoding", name: message.encoding });
  const open = encoding === "gzip" && message.data.length > 0 ? await gunzip(message.data, limit, notGzip) : message.data;
  const data = recodeOn(account, recode, open, (error) => ({ kind: "malformed-request", what: `the message cannot be read: ${error instanceof Error ? error.message.slice(0, 500) : "malformed"}` }));
  return { data: encoding === "gzip" ? await gzip(data) : data, encoding };
}

/** How a request stream is skimmed: compressed messages are opened to be sized, all are gathered where they are recoded. */
export function requestFraming(call: Call, limit: number, recode: Recode | undefined): Framing {
  const text = call.text.request ? base64Decoder() : undefined;
  const { promise, resolve } = Promise.withResolvers<void>();
  call.trace.released = promise;
  return {
    released: resolve,
    // Of an origin that has answered, workerd would end the request as if this were all of it.
    torn: () => (call.trace.answered === true ? Uint8Array.of(0, 0) : undefined),
    judge(flags, length) {
      const refused = flagFailure(call, flags);
      if (refused !== undefined) return refused;
      const encoding = flags === 0 ? "identity" : call.encoding;
      if (length > limit + (flags === 0 ? 0 : roomOf(call, limit))) return { kind: "message-too-large", limit };
      // An empty message is empty in any encoding.
      return recode !== undefined || (encoding === "gzip" && length > 0) ? "hold" : "relay";
    },
    async held({ flags, data }) {
      const message = { data, encoding: encodingOf(call, flags) };
      const out = recode === undefined ? await sized(message, limit) : await recoded(message, recode, limit, call.account);
      return writeEnvelope(out.encoding === "identity" ? 0 : flagCompressed, out.data);
    },
    finish(failure, clean) {
      if (failure === undefined && clean && endsWhole(text)) return new Uint8Array(0);
      call.life.fail(failure ?? { kind: "malformed-request", what: "the body ends inside a message" });
      return null;
    },
    ...(text === undefined ? {} : {
      decode: (chunk: Uint8Array<ArrayBuffer>) => {
        try {
          return text.push(chunk);
        } catch {
          throw new FailureError({ kind: "malformed-request", what: "the body is not base64" });
        }
      },
    }),
  };
}
