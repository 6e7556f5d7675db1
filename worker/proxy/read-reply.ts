import { Fields, type ReadableFields } from "../core/protocol/fields.ts";
import { type Failure, FailureError } from "../core/failure.ts";
import { codeFromHttpStatus } from "../core/protocol/code.ts";
import { encodingFrom, gunzip, gzip, isPassable } from "../core/protocol/compression.ts";
import { endFromEndStream, errorFromBody } from "../core/protocol/connect-end.ts";
import { encodingHeaders, formFromContentType, type UpstreamForm } from "../core/protocol/dialect.ts";
import { type End, okEnd, sealedEnd } from "../core/protocol/end.ts";
import { type Envelope, flagCompressed, flagConnectEnd, flagTrailer, fromUtf8, splitEnvelopes } from "../core/protocol/envelope.ts";
import { replyMetadata, takeTrailerPrefixed } from "../core/protocol/metadata.ts";
import { endFromTrailerBlock, endFromTrailers } from "../core/protocol/trailers.ts";
import type { Recode } from "../core/schema/recode.ts";
import { Unwritable } from "../core/schema/unwritable.ts";
import type { Account } from "./budget.ts";
import type { Message } from "./call.ts";
import type { Plan } from "./plan.ts";
import type { UpstreamReply } from "./ports.ts";
import { recodeOn } from "./recoding.ts";
import { lengthFrom, readWhole } from "./read-whole.ts";

/** A reply that has been read to its end. */
export interface WholeReply {
  readonly metadata: Fields;
  readonly message: Message | undefined;
  readonly end: End;
}

const corrupt: Failure = { kind: "malformed-reply", what: "a message cannot be decompressed" };
const framingRoom = 64 * 1024;

/** The length of a reply's body in bytes, where its head tells it. */
export function lengthOf({ headers }: UpstreamReply): number | undefined {
  return lengthFrom(headers.get("content-length"));
}

/** Metadata of a reply's head, the protocols' own headers taken out. */
export function metadataOf(reply: UpstreamReply): Fields {
  return replyMetadata(reply.headers, "metadata");
}

/** What the head alone says went wrong: an HTTP error, or a content type that is not the dialect's. */
export function headFailure(reply: UpstreamReply, plan: Plan): Failure | undefined {
  if (reply.status !== 200) return statusFailure(reply);
  const contentType = reply.headers.get("content-type") ?? "";
  const form = formFromContentType(contentType);
  const expected = plan.dialect === "connect-get" ? "connect-unary" : plan.dialect;
  if (form?.dialect === expected && form.codec === plan.codec) return undefined;
  // Another codec of the same dialect is the origin's mistake; anything else may not be an RPC server at all.
  const kind = form?.dialect === expected ? "malformed-reply" : "malformed-reply-type";
  return { kind, what: "its content type is not the one that was asked for" };
}

function statusFailure({ status, headers }: UpstreamReply): Failure {
  return { kind: "origin-status", status, ...(status === 429 && { retryAfter: headers.get("retry-after") }) };
}

/** Reads the reply of a unary Connect call. */
export async function readConnectUnary(reply: UpstreamReply, plan: Plan, limit: number, account: Account): Promise<WholeReply> {
  const metadata = metadataOf(reply);
  const trailers = takeTrailerPrefixed(metadata);
  const encoding = (reply.headers.get("content-encoding") || "identity").toLowerCase();
  if (reply.status !== 200) {
    // Whatever else it says, a page or nothing, it says by its status.
    if (formFromContentType(reply.headers.get("content-type") ?? "")?.codec !== "json") throw new FailureError(statusFailure(reply));
    const body = await readWhole(reply.source, { declared: lengthOf(reply), limit, account, broken: reply.broken });
    const open = encoding === "gzip" ? await gunzip(body, limit, corrupt).catch(() => body) : body;
    const end = errorFromBody(open, codeFromHttpStatus(reply.status), trailers);
    if (end === undefined) throw new FailureError(statusFailure(reply));
    return { metadata, message: undefined, end: reply.status === 429 && end.code === "unavailable" ? { ...end, limited: true } : end };
  }
  const failure = headFailure(reply, plan);
  if (failure !== undefined) throw new FailureError(failure);
  const data = await readWhole(reply.source, { declared: lengthOf(reply), limit, account, broken: reply.broken });
  return { metadata, message: { data, encoding }, end: okEnd(trailers) };
}

/**
 * The end that stands in the head (gRPC's trailers-only reply), if one does. A body that brings an end of its own has
 * the last word; an empty trailer frame behind such a head says nothing.
 */
export function endInHead(reply: UpstreamReply): End | undefined {
  return reply.headers.has("grpc-status") ? endFromTrailers(trailersOnly(reply.headers)) : undefined;
}

/** HTTP's own of a reply, which no RPC says at its end. */
const ofHttp = [
  "age", "cache-control", "content-security-policy", "cross-origin-opener-policy", "cross-origin-resource-policy", "etag", "expires", "last-modified", "nel", "pragma", "referrer-policy", "report-to",
  "retry-after", "server-timing", "set-cookie", "strict-transport-security", "www-authenticate", "x-content-type-options", "x-frame-options",
];
const headOnly = [...ofHttp, "content-type", "content-length", "content-encoding", "grpc-encoding", "grpc-accept-encoding", "accept-encoding", "date", "server", "vary"];

/** In a trailers-only reply all metadata is trailing metadata. */
function trailersOnly(headers: ReadableFields): Fields {
  const trailers = replyMetadata(headers, "protocol");
  for (const name of headOnly) trailers.delete(name);
  return trailers;
}

/** A message and an end are right; of more than a few there is nothing to be learned. */
const mostEnvelopes = 8;

/** What of a trailers-only reply is HTTP's own, and not the call's. */
export function headOfTrailersOnly({ headers }: UpstreamReply): Fields {
  const head = new Fields();
  replyMetadata(headers, "protocol").forEach((value, name) => {
    if (ofHttp.includes(name)) head.append(name, value);
  });
  return head;
}

/** Reads the reply of a unary gRPC-Web call; with it, whether its bytes may be relayed as they are. */
export async function readGrpcWebUnary(
  reply: UpstreamReply,
  plan: Plan,
  limit: number,
  account: Account,
): Promise<WholeReply & { readonly raw: Uint8Array<ArrayBuffer> | undefined }> {
  const inHead = endInHead(reply);
  const failure = headFailure(reply, plan);
  if (failure !== undefined && inHead === undefined) throw new FailureError(failure);
  const body = await readWhole(reply.source, { declared: lengthOf(reply), limit, room: framingRoom, account, broken: reply.broken });
  if (inHead !== undefined && body.length === 0) return { metadata: headOfTrailersOnly(reply), message: undefined, end: inHead, raw: undefined };
  const { envelopes, rest } = splitEnvelopes(body, mostEnvelopes);
  if (rest.length > 0 && envelopes.length < mostEnvelopes) throw new FailureError({ kind: "malformed-reply", what: "it ends inside a message" });
  const messages = envelopes.filter(({ flags }) => (flags & flagTrailer) === 0);
  const trailer = envelopes.find(({ flags }) => (flags & flagTrailer) !== 0);
  const encoding = (reply.headers.get("grpc-encoding") || "identity").toLowerCase();
  const end = (trailer && (await readEnd("grpc-web", trailer, encoding, limit))) ?? inHead;
  if (end === undefined && trailer !== undefined && isSealedEnd(plan, trailer, encoding)) return { metadata: sealedMetadata(reply, encoding), message: undefined, end: sealedEnd(), raw: body };
  if (end === undefined) throw new FailureError({ kind: "malformed-reply", what: "it has no end" });
  if (messages.length > 1 || (messages.length === 0 && end.code === "ok")) {
    throw new FailureError({ kind: "reply-count", what: `a unary reply has one message: current value is ${messages.length}` });
  }
  const [first] = messages;
  const message = first && { data: first.data, encoding: first.flags & flagCompressed ? encoding : "identity" };
  if (first !== undefined && first.flags & flagCompressed && encoding === "identity") throw new FailureError({ kind: "unexpected-compression" });
  if (messages.some(({ flags }) => isForeign(flags))) throw new FailureError(foreign);
  const canonical = plan.way === "pass" && trailer !== undefined && end.madeUp === undefined && envelopes.at(-1) === trailer && isCanonical(trailer);
  return { metadata: metadataOf(reply), message, end, raw: canonical ? body : undefined };
}

/** Whether an end passes as it is to the caller who asked for its encoding, which nobody here can open. */
export function isSealedEnd({ way }: Pick<Plan, "way">, { flags }: Envelope, encoding: string): boolean {
  return way === "pass" && (flags & flagCompressed) !== 0 && encodingFrom(encoding) === undefined && isPassable(encoding);
}

function sealedMetadata(reply: UpstreamReply, encoding: string): Fields {
  const metadata = metadataOf(reply);
  metadata.set("grpc-encoding", encoding);
  return metadata;
}

/** Whether every client reads this trailer frame: open, names in lower case, every line ended by CRLF, its message encoded as it must be. */
function isCanonical({ flags, data }: Envelope): boolean {
  const text = fromUtf8(data);
  return flags === flagTrailer && /^(?:[a-z0-9_.-]+:[^\r\n]*\r\n)+$/.test(text) && !/^grpc-message:.*(?:%(?![0-9A-Fa-f]{2})|[^\x20-\x7e\n])/m.test(text.replaceAll("\r", ""));
}

/** Reads an end frame; undefined where it does not say how the call ended. */
export async function readEnd(dialect: UpstreamForm, { flags, data }: Envelope, encoding: string, limit: number): Promise<End | undefined> {
  const open = flags & flagCompressed && encoding === "gzip" && data.length > 0 ? await gunzip(data, limit, corrupt) : data;
  return dialect === "grpc-web" ? endFromTrailerBlock(open) : endFromEndStream(open);
}

/** Flags that mean nothing in this dialect, and perhaps an end in the caller's. */
export function isForeign(flags: number): boolean {
  return (flags & ~flagCompressed) !== 0;
}

export const foreign: Failure = { kind: "malformed-reply", what: "an envelope has unknown flags" };

/** A Connect error in JSON, compressed so that the proxy cannot read it. */
export function isSealedError({ status, headers }: UpstreamReply): boolean {
  const json = formFromContentType(headers.get("content-type") ?? "")?.codec === "json";
  return status >= 400 && status <= 599 && json && encodingFrom(headers.get("content-encoding")?.toLowerCase() ?? null) === undefined;
}

/** Whether an envelope is the end frame of its dialect. */
export function isEndFlag(dialect: UpstreamForm, flags: number): boolean {
  return (flags & (dialect === "grpc-web" ? flagTrailer : flagConnectEnd)) !== 0;
}

/** What a caller asks for by itself, a record that JSON has no words for, says nothing of the origin's health; bytes that are no message do. */
function unreadable(error: unknown): Failure {
  if (error instanceof Unwritable) return { kind: "reply-unwritable", what: error.message.slice(0, 300) };
  return { kind: "malformed-reply", what: "a message is not of the method's type" };
}

/** Rewrites a reply message to the caller's codec; compressed ones are opened and closed again. */
export async function recodeReply(message: Message, recode: Recode, limit: number, account: Account): Promise<Message> {
  const encoding = encodingFrom(message.encoding);
  if (encoding === undefined) throw new FailureError({ kind: "malformed-reply", what: `its encoding "${message.encoding}" was not asked for` });
  const open = encoding === "gzip" && message.data.length > 0 ? await gunzip(message.data, limit, corrupt) : message.data;
  const data = recodeOn(account, recode, open, unreadable);
  return { data: encoding === "gzip" ? await gzip(data) : data, encoding };
}

/** Name of the header in which a stream's head says how its messages are compressed. */
export function streamEncoding(reply: UpstreamReply, dialect: UpstreamForm): string {
  return (reply.headers.get(encodingHeaders(dialect).encoding) || "identity").toLowerCase();
}
