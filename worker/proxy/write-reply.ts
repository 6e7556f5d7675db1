import { Fields } from "../core/protocol/fields.ts";
import { base64Encode } from "../core/protocol/base64.ts";
import { type Code, codeToHttpStatus } from "../core/protocol/code.ts";
import { endStreamFrame, errorToJson } from "../core/protocol/connect-end.ts";
import { contentTypeOf, type Dialect, encodingHeaders } from "../core/protocol/dialect.ts";
import type { End } from "../core/protocol/end.ts";
import { concat, flagCompressed, utf8, writeEnvelope } from "../core/protocol/envelope.ts";
import { appendAll, trailerPrefix } from "../core/protocol/metadata.ts";
import { trailerFrame } from "../core/protocol/trailers.ts";
import type { Call, Message, Reply } from "./call.ts";

/** What of a call decides how a reply is written. */
export type Addressee = Pick<Call, "form" | "text">;

/** The envelope that ends a stream in an enveloped dialect. */
export function endFrame(dialect: Dialect, end: End): Uint8Array<ArrayBuffer> {
  return dialect === "connect-stream" ? endStreamFrame(end) : trailerFrame(end);
}

/** Writes a reply that has at most one message and has ended. Takes `metadata` over. */
export function writeWhole(to: Addressee, metadata: Fields, message: Message | undefined, end: End): Reply {
  const { dialect, codec } = to.form;
  if (dialect === "connect-unary" || dialect === "connect-get") {
    appendAll(metadata, end.metadata, trailerPrefix);
    if (end.code !== "ok" || message === undefined) return connectError(metadata, end);
    metadata.set("content-type", contentTypeOf(dialect, codec));
    if (message.encoding !== "identity") metadata.set("content-encoding", message.encoding);
    return { status: 200, headers: metadata, body: message.data, end };
  }
  const frames = [endFrame(dialect, end)];
  if (message !== undefined) {
    const compressed = message.encoding !== "identity";
    if (compressed) metadata.set(encodingHeaders(dialect).encoding, message.encoding);
    frames.unshift(writeEnvelope(compressed ? flagCompressed : 0, message.data));
  }
  return enveloped(to, metadata, concat(frames), end);
}

/** Writes a reply that has ended without a message: an error of the proxy's own, mostly. */
export function writeEnd(to: Addressee, end: End, httpStatus?: number): Reply {
  const reply = writeWhole(to, new Fields(), undefined, end);
  const unary = to.form.dialect === "connect-unary" || to.form.dialect === "connect-get";
  return unary && httpStatus !== undefined ? { ...reply, status: httpStatus } : reply;
}

/** Writes envelopes that are already in the caller's dialect, their end frame among them. Takes `headers` over. */
export function enveloped(
  to: Addressee,
  headers: Fields,
  body: Uint8Array<ArrayBuffer> | ReadableStream<Uint8Array<ArrayBuffer>>,
  end: End | Promise<End>,
): Reply {
  if (!to.text.reply) {
    headers.set("content-type", contentTypeOf(to.form.dialect, to.form.codec));
    return { status: 200, headers, body, end };
  }
  headers.set("content-type", contentTypeOf("grpc-web-text", to.form.codec));
  return { status: 200, headers, body: body instanceof Uint8Array ? utf8(base64Encode(body)) : encodeText(body), end };
}

function connectError(headers: Fields, end: End): Reply {
  // An ok end without a message has no Connect form: the message is missing.
  const code: Code = end.code === "ok" ? "unimplemented" : end.code;
  const error = end.code === "ok" ? { ...end, code, message: "the origin's reply has no message" } : end;
  headers.set("content-type", "application/json");
  return { status: codeToHttpStatus(code), headers, body: JSON.stringify(errorToJson(error)), end: error };
}

/** Every chunk becomes base64 of its own, padded, so that no byte waits for the next chunk. */
function encodeText(body: ReadableStream<Uint8Array<ArrayBuffer>>): ReadableStream<Uint8Array<ArrayBuffer>> {
  const reader = body.getReader();
  return new ReadableStream<Uint8Array<ArrayBuffer>>({
    async pull(controller) {
      const { done, value } = await reader.read();
      if (done) controller.close();
      else controller.enqueue(utf8(base64Encode(value)));
    },
    cancel: (reason) => reader.cancel(reason),
  });
}
