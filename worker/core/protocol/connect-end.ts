import { Fields, isName } from "./fields.ts";
import { base64Decode, base64EncodeUnpadded } from "./base64.ts";
import { type Code, codeFromConnect } from "./code.ts";
import type { Detail, End } from "./end.ts";
import { safeValue } from "./metadata.ts";
import { flagConnectEnd, utf8, writeEnvelope } from "./envelope.ts";

/** Connect's error and end-of-stream JSON: https://connectrpc.com/docs/protocol#error-end-stream */

/** The error object of an end that is not ok. */
export function errorToJson(end: End): Record<string, unknown> {
  const json: Record<string, unknown> = { code: end.code };
  if (end.message !== "") json["message"] = end.message;
  if (end.details.length > 0) {
    json["details"] = end.details.map(({ type, value, debug }) => ({
      type,
      value: base64EncodeUnpadded(value),
      ...(debug === undefined ? {} : { debug }),
    }));
  }
  return json;
}

/** Reads an error object; `fallback` stands where its code is missing or unknown. Undefined where it is no object. */
export function errorFromJson(json: unknown, fallback: Code, metadata = new Fields()): End | undefined {
  if (!isObject(json)) return undefined;
  const code = codeFromConnect(json["code"]) ?? fallback;
  const details: Detail[] = [];
  for (const item of Array.isArray(json["details"]) ? (json["details"] as unknown[]) : []) {
    if (!isObject(item) || typeof item["type"] !== "string" || typeof item["value"] !== "string") continue;
    const value = base64Decode(item["value"]);
    if (value === undefined) continue;
    // Some write the whole URL of an Any.
    details.push({ type: item["type"].slice(item["type"].lastIndexOf("/") + 1), value, ...("debug" in item ? { debug: item["debug"] } : {}) });
  }
  return { code, message: typeof json["message"] === "string" ? json["message"] : "", details, metadata };
}

/** Reads the JSON body of a Connect unary error; `fallback` is the code that its HTTP status stands for. Undefined where it is none. */
export function errorFromBody(body: Uint8Array, fallback: Code, metadata?: Fields): End | undefined {
  return errorFromJson(parseJson(body), fallback, metadata);
}

/** The end-of-stream envelope; at least `{}`. */
export function endStreamFrame(end: End): Uint8Array<ArrayBuffer> {
  const json: Record<string, unknown> = {};
  if (end.code !== "ok") json["error"] = errorToJson(end);
  const metadata = new Map<string, string[]>();
  end.metadata.forEach((value, name) => {
    const values = metadata.get(name);
    if (values === undefined) metadata.set(name, [value]);
    else values.push(value);
  });
  if (metadata.size > 0) json["metadata"] = Object.fromEntries(metadata);
  return writeEnvelope(flagConnectEnd, utf8(JSON.stringify(json)));
}

/** Reads the message of an end-of-stream envelope. Undefined where it is malformed. */
export function endFromEndStream(data: Uint8Array): End | undefined {
  const json = parseJson(data);
  if (!isObject(json)) return undefined;
  const metadata = new Fields();
  const fields = json["metadata"] ?? {};
  if (!isObject(fields)) return undefined;
  for (const [name, values] of Object.entries(fields)) {
    for (const value of Array.isArray(values) ? (values as unknown[]) : []) {
      if (typeof value === "string" && isName(name)) metadata.append(name, safeValue(value));
    }
  }
  if (json["error"] === undefined || json["error"] === null) return { code: "ok", message: "", details: [], metadata };
  return errorFromJson(json["error"], "unknown", metadata);
}

function parseJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true, ignoreBOM: false }).decode(bytes));
  } catch {
    return undefined;
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return value !== null && typeof value === "object" && !Array.isArray(value);
}
