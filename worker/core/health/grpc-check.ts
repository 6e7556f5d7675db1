import { Fields, type ReadableFields } from "../protocol/fields.ts";
import { BinaryReader, BinaryWriter, WireType } from "@bufbuild/protobuf/wire";
import type { CompiledCluster } from "../config/compiled.ts";
import { codeFromHttpStatus } from "../protocol/code.ts";
import { errorFromBody } from "../protocol/connect-end.ts";
import { type Codec, contentTypeOf, encodingHeaders, formFromContentType } from "../protocol/dialect.ts";
import { type End, okEnd } from "../protocol/end.ts";
import { flagTrailer, fromUtf8, splitEnvelopes, utf8, writeEnvelope } from "../protocol/envelope.ts";
import { connectTimeoutFromMs, grpcTimeoutFromMs } from "../protocol/timeout.ts";
import { endFromTrailerBlock, endFromTrailers } from "../protocol/trailers.ts";
import { shortText } from "./short-text.ts";

/**
 * grpc.health.v1.Health/Check: HealthCheckRequest {string service = 1}, HealthCheckResponse {ServingStatus status = 1}.
 * https://github.com/grpc/grpc/blob/master/doc/health-checking.md
 */
export const checkPath = "/grpc.health.v1.Health/Check";

/** What a probe found. */
export interface Verdict {
  readonly healthy: boolean;
  /** Why not, or what is to be noted; "" for a plain yes. */
  readonly detail: string;
}

type Wire = { readonly dialect: "connect-unary" | "grpc-web"; readonly codec: Codec };

/** In which form a cluster is probed: one that takes a caller's dialect as it is takes Connect. */
export function checkWire({ dialect, codecs }: Pick<CompiledCluster, "dialect" | "codecs">): Wire {
  return { dialect: dialect === "grpc-web" ? "grpc-web" : "connect-unary", codec: codecs.includes("proto") ? "proto" : "json" };
}

/** The request of a check, uncompressed, as is its answer asked for. */
export function checkRequest({ dialect, codec }: Wire, service: string, timeoutMs: number): { headers: Fields; body: Uint8Array<ArrayBuffer> } {
  const headers = new Fields({ "content-type": contentTypeOf(dialect, codec), "accept-encoding": "identity", [encodingHeaders(dialect).accept]: "identity" });
  const message = codec === "json" ? utf8(JSON.stringify(service === "" ? {} : { service })) : requestMessage(service);
  if (dialect === "connect-unary") {
    headers.set("connect-protocol-version", "1");
    headers.set("connect-timeout-ms", connectTimeoutFromMs(timeoutMs));
    return { headers, body: message };
  }
  headers.set("x-grpc-web", "1");
  headers.set("grpc-timeout", grpcTimeoutFromMs(timeoutMs));
  return { headers, body: writeEnvelope(0, message) };
}

/** What an origin answered, its body whole. */
export interface CheckReply {
  readonly status: number;
  readonly headers: ReadableFields;
  readonly body: Uint8Array<ArrayBuffer>;
}

/**
 * Judges the answer to a check, whatever it is: never throws. SERVING is healthy; so is an endpoint that answers but has no
 * such service (unimplemented, or HTTP 404 without an end of its own), which is noted. Anything else is unhealthy.
 */
export function checkVerdict(wire: Wire, reply: CheckReply): Verdict {
  const { end, message } = wire.dialect === "grpc-web" ? readGrpcWeb(wire, reply) : readConnect(wire, reply);
  if (end.code === "unimplemented") return { healthy: true, detail: "has no health service" };
  if (end.code === "not_found") return { healthy: false, detail: "SERVICE_UNKNOWN" };
  if (end.code !== "ok") return { healthy: false, detail: shortText(`${end.code}${end.message === "" ? "" : `: ${end.message}`}`) };
  const status = message && (wire.codec === "json" ? statusFromJson(message) : statusFromBinary(message));
  if (status === undefined) return { healthy: false, detail: "the answer is no HealthCheckResponse" };
  return { healthy: status === "SERVING", detail: status === "SERVING" ? "" : status };
}

interface Answered {
  readonly end: Pick<End, "code" | "message">;
  readonly message?: Uint8Array | undefined;
}

function readConnect(wire: Wire, { status, headers, body }: CheckReply): Answered {
  if (status === 200) return isOf(wire, headers) ? { end: okEnd(), message: body } : otherType(headers);
  const isJson = formFromContentType(headers.get("content-type") ?? "")?.codec === "json";
  return { end: (isJson ? errorFromBody(body, codeFromHttpStatus(status)) : undefined) ?? fromHttp(status) };
}

function readGrpcWeb(wire: Wire, { status, headers, body }: CheckReply): Answered {
  const inHead = endFromTrailers(headers);
  if (inHead === undefined && status !== 200) return { end: fromHttp(status) };
  if (inHead === undefined && !isOf(wire, headers)) return otherType(headers);
  const { envelopes, rest } = splitEnvelopes(body, 8);
  const trailer = envelopes.find(({ flags }) => flags === flagTrailer);
  const end = (trailer && endFromTrailerBlock(trailer.data)) ?? inHead;
  if (end === undefined || rest.length > 0) return { end: { code: "internal", message: "the answer has no end" } };
  return { end, message: envelopes.find(({ flags }) => flags === 0)?.data };
}

function isOf({ dialect, codec }: Wire, headers: ReadableFields): boolean {
  const form = formFromContentType(headers.get("content-type") ?? "");
  return form?.dialect === dialect && form.codec === codec;
}

function otherType(headers: ReadableFields): Answered {
  return { end: { code: "unknown", message: `the answer's content type is ${headers.get("content-type") ?? "not given"}` } };
}

function fromHttp(status: number): Answered["end"] {
  return { code: codeFromHttpStatus(status), message: `HTTP ${status}` };
}

/** ServingStatus, by its number. */
const statuses = ["UNKNOWN", "SERVING", "NOT_SERVING", "SERVICE_UNKNOWN"] as const;
type Status = (typeof statuses)[number];

function requestMessage(service: string): Uint8Array<ArrayBuffer> {
  if (service === "") return new Uint8Array(0);
  return new BinaryWriter().tag(1, WireType.LengthDelimited).string(service).finish() as Uint8Array<ArrayBuffer>;
}

function statusFromBinary(bytes: Uint8Array): Status | undefined {
  try {
    const reader = new BinaryReader(bytes);
    let status = 0;
    while (reader.pos < reader.len) {
      const [field, type] = reader.tag();
      if (field === 1 && type === WireType.Varint) status = reader.int32();
      else reader.skip(type, field);
    }
    return statuses[status];
  } catch {
    return undefined;
  }
}

/** Of proto3 JSON: an enum by its name or its number, and what is not there is 0. */
function statusFromJson(bytes: Uint8Array): Status | undefined {
  try {
    const answer = JSON.parse(fromUtf8(bytes)) as unknown;
    if (answer === null || typeof answer !== "object" || Array.isArray(answer)) return undefined;
    const { status = 0 } = answer as { status?: unknown };
    return typeof status === "number" ? statuses[status] : statuses.find((name) => name === status);
  } catch {
    return undefined;
  }
}
