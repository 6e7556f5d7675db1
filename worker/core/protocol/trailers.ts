import { base64Decode, base64EncodeUnpadded } from "./base64.ts";
import { codeFromGrpcStatus, codeToNumber } from "./code.ts";
import { type End, okEnd } from "./end.ts";
import { flagTrailer, fromUtf8, utf8, writeEnvelope } from "./envelope.ts";
import { grpcMessageDecode, grpcMessageEncode } from "./grpc-message.ts";
import { Fields, isName, type ReadableFields } from "./fields.ts";
import { safeValue } from "./metadata.ts";
import { statusDetailsFromBinary, statusDetailsToBinary } from "./status-details.ts";

/** The end as gRPC-Web writes it: https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-WEB.md */
const isEndName = (name: string): boolean => name === "grpc-status" || name === "grpc-message" || name === "grpc-status-details-bin";

/** Takes the end out of trailers (or of the headers of a trailers-only reply); undefined where there is no `grpc-status`. */
export function endFromTrailers(trailers: ReadableFields): End | undefined {
  const status = trailers.get("grpc-status");
  if (status === null) return undefined;
  const metadata = new Fields();
  trailers.forEach((value, name) => {
    if (!isEndName(name)) metadata.append(name, safeValue(value));
  });
  const code = codeFromGrpcStatus(status.trim());
  if (code === undefined) {
    return { code: "unknown", message: "the origin's grpc-status is no known code", details: [], metadata, madeUp: true };
  }
  const packed = trailers.get("grpc-status-details-bin") ?? "";
  const bin = base64Decode(packed);
  const rich = bin && bin.length > 0 ? statusDetailsFromBinary(bin) : undefined;
  const message = grpcMessageDecode(trailers.get("grpc-message") ?? "");
  if (rich === undefined) return { code, message, details: [], metadata };
  return { code, message: rich.code === code ? fuller(message, rich.message) : message, details: rich.details, statusDetails: packed, metadata };
}

/** HTTP takes the blanks around a header's value, and some servers say a status's message in its details alone. */
function fuller(message: string, inDetails: string): string {
  return message === "" || message === inDetails.trim() ? inDetails : message;
}

/** The end's own fields, and its metadata, as name and value pairs in lower case. */
export function endToTrailers(end: End): [name: string, value: string][] {
  const pairs: [string, string][] = [["grpc-status", String(codeToNumber(end.code))]];
  if (end.message !== "") pairs.push(["grpc-message", grpcMessageEncode(end.message)]);
  if (end.statusDetails !== undefined) {
    pairs.push(["grpc-status-details-bin", end.statusDetails]);
  } else if (end.details.length > 0) {
    const status = statusDetailsToBinary(end.code, end.message, end.details);
    pairs.push(["grpc-status-details-bin", base64EncodeUnpadded(status)]);
  }
  end.metadata.forEach((value, name) => {
    if (!isEndName(name)) pairs.push([name, value]);
  });
  return pairs;
}

/** The trailer frame: names in lower case, no blank after the colon, a CRLF after every line. */
export function trailerFrame(end: End): Uint8Array<ArrayBuffer> {
  const text = endToTrailers(end).map(([name, value]) => `${name}:${value}\r\n`).join("");
  return writeEnvelope(flagTrailer, utf8(text));
}

/** Reads the end in a trailer block; undefined where there is no `grpc-status`. */
export function endFromTrailerBlock(block: Uint8Array): End | undefined {
  const text = fromUtf8(block);
  return plainOk.test(text) ? okEnd() : endFromTrailers(parseTrailerBlock(text));
}

/** What nearly every call ends with. */
const plainOk = /^grpc-status: ?0\r\n(?:grpc-message: ?\r\n)?$/i;

/** Reads a trailer block; lines may end in LF alone, and one that is no header field is passed over. */
export function parseTrailerBlock(block: string): Fields {
  const trailers = new Fields();
  for (const line of block.split(/\r?\n/)) {
    if (line === "") continue;
    const colon = line.indexOf(":");
    const name = line.slice(0, colon).trim();
    const value = line.slice(colon + 1).trim();
    // One odd line must not cost the status.
    if (colon > 0 && isName(name)) trailers.append(name, safeValue(value));
  }
  return trailers;
}
