import { codeToHttpStatus, codes } from "../../worker/core/protocol/code.ts";
import { splitEnvelopes, writeEnvelope } from "../../worker/core/protocol/envelope.ts";
import type { Received } from "./client.ts";

/** The dialects as callers write and read them, apart from the proxy's own readers but for the envelope. */
export type CallerDialect = "connect-unary" | "connect-stream" | "grpc-web" | "grpc-web-text";
export const callerDialects = ["connect-unary", "connect-stream", "grpc-web", "grpc-web-text"] as const;

export function isConnect(dialect: CallerDialect): boolean {
  return dialect.startsWith("connect");
}

export function contentType(dialect: CallerDialect, codec = "proto"): string {
  if (dialect === "connect-unary") return `application/${codec}`;
  if (dialect === "connect-stream") return `application/connect+${codec}`;
  return `application/${dialect}+${codec}`;
}

/** The head and body of a request with one message. */
export function request(dialect: CallerDialect, message: Uint8Array | string, codec = "proto"): { headers: Record<string, string>; body: Uint8Array } {
  const bytes = Buffer.from(message as Uint8Array);
  const headers = { "content-type": contentType(dialect, codec), ...(isConnect(dialect) ? { "connect-protocol-version": "1" } : { "x-grpc-web": "1" }) };
  if (dialect === "connect-unary") return { headers, body: bytes };
  const body = writeEnvelope(0, bytes);
  return { headers, body: dialect === "grpc-web-text" ? Buffer.from(Buffer.from(body).toString("base64")) : body };
}

/** The name and value of the header that gives a time-out. */
export function timeout(dialect: CallerDialect, ms: number): Record<string, string> {
  return isConnect(dialect) ? { "connect-timeout-ms": String(ms) } : { "grpc-timeout": `${ms}m` };
}

/** A gRPC-Web trailer frame. */
export function trailers(text: string): Uint8Array<ArrayBuffer> {
  return writeEnvelope(0x80, Buffer.from(text, "latin1"));
}

/** The frames of a gRPC-Web reply with one message that is ok. */
export function webReply(message: Uint8Array | string, end = "grpc-status:0\r\n"): Buffer {
  return Buffer.concat([writeEnvelope(0, Buffer.from(message as Uint8Array)), trailers(end)]);
}

/** An answer as a caller understands it. */
export interface Understood {
  readonly code: string;
  readonly message: string;
  readonly details: readonly { type: string; value: string }[];
  readonly messages: readonly { readonly flags: number; readonly data: Buffer }[];
  readonly trailers: Readonly<Record<string, string>>;
}

/** Reads an answer. Throws where it is not well-formed in its dialect: status, content type, framing and end. */
export function understand(dialect: CallerDialect, reply: Received): Understood {
  if (reply.cut) throw new Error("the reply was cut");
  const type = String(reply.headers["content-type"]);
  if (dialect === "connect-unary") return unary(type, reply);
  must(reply.status === 200, `HTTP ${reply.status}`);
  must(new RegExp(`^${contentType(dialect, "(proto|json)").replaceAll("+", "\\+")}$`).test(type), `content type ${type}`);
  const bytes = dialect === "grpc-web-text" ? unbase64(reply.body.toString()) : reply.body;
  const { envelopes, rest } = splitEnvelopes(new Uint8Array(bytes));
  must(rest.length === 0, "bytes after the last envelope");
  const endFlag = dialect === "connect-stream" ? 2 : 0x80;
  const end = envelopes.at(-1);
  must(end?.flags === endFlag, "the last envelope is no end");
  must(envelopes.filter(({ flags }) => (flags & endFlag) !== 0).length === 1, "more than one end");
  const messages = envelopes.slice(0, -1).map(({ flags, data }) => ({ flags, data: Buffer.from(data) }));
  const text = Buffer.from(end!.data).toString();
  return dialect === "connect-stream" ? { messages, ...endStream(text) } : { messages, ...trailerBlock(text) };
}

function unary(type: string, { status, body, headers }: Received): Understood {
  const prefixed = Object.entries(headers).flatMap(([name, value]) => (name.startsWith("trailer-") ? [[name.slice(8), String(value)]] : []));
  const trailers = Object.fromEntries(prefixed) as Record<string, string>;
  if (status === 200) {
    must(/^application\/(proto|json)$/.test(type), `content type ${type}`);
    return { code: "ok", message: "", details: [], messages: [{ flags: 0, data: body }], trailers };
  }
  must(type === "application/json", `content type ${type} of an error`);
  const error = connectError(JSON.parse(body.toString()));
  const expected = codeToHttpStatus(error.code as (typeof codes)[number]);
  must(status === expected || [404, 431, 400, 415].includes(status), `HTTP ${status} for ${error.code}`);
  return { ...error, messages: [], trailers };
}

function connectError(json: unknown) {
  const { code, message = "", details = [] } = json as { code: string; message?: string; details?: { type: string; value: string }[] };
  must(code !== "ok" && (codes as readonly string[]).includes(code), `unknown code ${code}`);
  return { code, message, details };
}

function endStream(text: string): Omit<Understood, "messages"> {
  const { error, metadata = {} } = JSON.parse(text) as { error?: unknown; metadata?: Record<string, string[]> };
  const trailers = Object.fromEntries(Object.entries(metadata).map(([name, values]) => [name, values.join(", ")]));
  return { code: "ok", message: "", details: [], ...(error === undefined ? {} : connectError(error)), trailers };
}

function trailerBlock(text: string): Omit<Understood, "messages"> {
  must(/^(?:[a-z0-9_.!#$%&'*+^`|~-]+:[^\r\n]*\r\n)+$/.test(text), `trailer block ${JSON.stringify(text)}`);
  const lines = text.split("\r\n").filter((line) => line !== "").map((line) => [line.slice(0, line.indexOf(":")), line.slice(line.indexOf(":") + 1).trim()] as const);
  const { "grpc-status": status = "", "grpc-message": message = "", "grpc-status-details-bin": details, ...trailers } = Object.fromEntries(lines);
  must(lines.filter(([name]) => name === "grpc-status").length === 1 && codes[Number(status)] !== undefined && /^\d+$/.test(status), `grpc-status ${status}`);
  return {
    code: codes[Number(status)]!,
    message: decodeURIComponent(message),
    details: details === undefined ? [] : [{ type: "grpc-status-details-bin", value: details }],
    trailers,
  };
}

/** Base64 with padding anywhere: quantum by quantum, as gRPC-Web's text mode may be. */
function unbase64(text: string): Buffer {
  must(text.length % 4 === 0 && /^[A-Za-z0-9+/=]*$/.test(text), "the body is not base64");
  return Buffer.concat((text.match(/.{4}/g) ?? []).map((four) => Buffer.from(four, "base64")));
}

function must(holds: boolean, what: string): asserts holds {
  if (!holds) throw new Error(`not well-formed: ${what}`);
}
