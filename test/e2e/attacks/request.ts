import { type CallerDialect, request as framed } from "../wire.ts";

/** How a caller may write a call. */
export const forms = ["connect-unary", "connect-unary json", "connect-get", "connect-stream", "grpc-web", "grpc-web-text"] as const;
export type Form = (typeof forms)[number];

/** Header fields as they are written: several of one name, and any bytes (each character one). */
export type Fields = readonly (readonly [name: string, value: string])[];

export interface Written {
  readonly form: Form;
  readonly service: string;
  readonly fields?: Fields;
  /** What stands in the request line, made of the path that the call would have. */
  readonly target?: (path: string) => string;
  readonly verb?: string;
  /** Instead of the one header `host`. */
  readonly hosts?: readonly string[];
  /** The message. */
  readonly message?: Uint8Array | string;
  /** Instead of the message, as the form would write it. */
  readonly body?: Uint8Array;
  /** Further fields of `connection`, beside `close`. */
  readonly connection?: string;
  /** Sends the body in chunks, with these trailers. */
  readonly trailers?: Fields;
}

/** The dialect that the answer is in. */
export function dialectOf(form: Form): CallerDialect {
  return form === "connect-unary json" || form === "connect-get" ? "connect-unary" : form;
}

/** Services have a unary method without side effects, and a stream. */
export function methodOf(form: Form): string {
  return form === "connect-stream" ? "Watch" : "Get";
}

/** The bytes of a request, which asks for the connection to be closed. */
export function write({ form, service, fields = [], target = (path) => path, verb, hosts = ["proxy.example"], message, body: asItIs, connection = "", trailers }: Written): Buffer {
  const get = form === "connect-get";
  const codec = form === "connect-unary json" ? "json" : "proto";
  const { headers, body: framedBody } = get ? { headers: {}, body: new Uint8Array(0) } : framed(dialectOf(form), message ?? (codec === "json" ? "{}" : "x"), codec);
  const body = asItIs ?? framedBody;
  const path = target(`/${service}/${methodOf(form)}`);
  const query = !get ? "" : `${path.includes("?") ? "&" : "?"}connect=v1&encoding=proto&base64=1&message=eA`;
  const written: Fields = [
    ...hosts.map((host) => ["host", host] as const),
    ["connection", connection === "" ? "close" : `close, ${connection}`],
    ...Object.entries(headers),
    ...(trailers !== undefined ? [["transfer-encoding", "chunked"] as const, ["trailer", trailers.map(([name]) => name).join(", ")] as const] : get ? [] : [["content-length", String(body.length)] as const]),
    ...fields,
  ];
  const lines = (of: Fields) => of.map(([name, value]) => `${name}: ${value}\r\n`).join("");
  const head = Buffer.from(`${verb ?? (get ? "GET" : "POST")} ${path}${query} HTTP/1.1\r\n${lines(written)}\r\n`, "latin1");
  if (trailers === undefined) return Buffer.concat([head, body]);
  return Buffer.concat([head, Buffer.from(`${body.length.toString(16)}\r\n`), body, Buffer.from(`\r\n0\r\n${lines(trailers)}\r\n`)]);
}
