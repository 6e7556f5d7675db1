import { base64Decode, base64Encode } from "./base64.ts";
import type { Codec } from "./dialect.ts";
import { concat, utf8 } from "./envelope.ts";

/** Connect GET: https://connectrpc.com/docs/protocol#unary-get-request */
export interface GetQuery {
  readonly codec: Codec;
  readonly message: Uint8Array<ArrayBuffer>;
  /** Name of the message's encoding; "identity" where none was given. */
  readonly encoding: string;
  readonly version: string | undefined;
}

/** Reads a query (without "?"): its parameters in any order, base64 padded or not. `error` says what is wrong. */
export function parseGetQuery(query: string): { value: GetQuery } | { error: string; status: 400 | 415 } {
  const parameters = new URLSearchParams(query);
  const encoding = parameters.get("encoding");
  if (encoding === null) return { error: 'query lacks "encoding"', status: 415 };
  if (encoding !== "proto" && encoding !== "json") return { error: 'query\'s "encoding" must be proto or json', status: 415 };
  const text = parameters.get("message");
  if (text === null) return { error: 'query lacks "message"', status: 400 };
  const base64 = parameters.get("base64");
  if (base64 !== null && base64 !== "0" && base64 !== "1") return { error: 'query\'s "base64" must be 1', status: 400 };
  // A space in base64 is a "+" that came unescaped.
  const message = base64 === "1" ? base64Decode(text.replaceAll(" ", "+")) : octetsOf(query);
  if (message === undefined) return { error: 'query\'s "message" is not base64', status: 400 };
  return {
    value: {
      codec: encoding,
      message,
      encoding: parameters.get("compression") || "identity",
      version: parameters.get("connect") ?? undefined,
    },
  };
}

/** The message as percent-encoded octets, which need not be UTF-8. */
function octetsOf(query: string): Uint8Array<ArrayBuffer> {
  const pair = query.split("&").find(isMessage) ?? "";
  const raw = pair.slice(pair.indexOf("=") + 1 || pair.length);
  // What is no pair of hex digits stands for itself.
  const octets = raw.replaceAll("+", " ").split(/(%[0-9A-Fa-f]{2})/);
  return concat(octets.map((part, i) => (i % 2 === 1 ? Uint8Array.of(parseInt(part.slice(1), 16)) : utf8(part))));
}

function isMessage(pair: string): boolean {
  const [name = ""] = pair.split("=", 1);
  return name === "message" || (/[%+]/.test(name) && new URLSearchParams(name).has("message"));
}

/** Writes the query of a GET, in base64url. */
export function getQuery(codec: Codec, message: Uint8Array, encoding: string): string {
  const text = base64Encode(message).replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");
  return `connect=v1&encoding=${codec}&base64=1${encoding === "identity" ? "" : `&compression=${encoding}`}&message=${text}`;
}
