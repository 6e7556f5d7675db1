/** The wire forms that a caller may use. https://connectrpc.com/docs/protocol and doc/PROTOCOL-WEB.md of gRPC. */
export type Dialect = "connect-unary" | "connect-get" | "connect-stream" | "grpc-web" | "grpc-web-text";

/** The wire forms in which an origin is called: those of a caller, but for the text mode. */
export type UpstreamForm = Exclude<Dialect, "grpc-web-text">;

export type Codec = "proto" | "json";

export interface WireForm {
  readonly dialect: Dialect;
  readonly codec: Codec;
}

/** Content types as they are written on the wire, exact and in lower case. */
const contentTypes: ReadonlyMap<string, WireForm> = new Map([
  ["application/proto", { dialect: "connect-unary", codec: "proto" }],
  ["application/json", { dialect: "connect-unary", codec: "json" }],
  ["application/connect+proto", { dialect: "connect-stream", codec: "proto" }],
  ["application/connect+json", { dialect: "connect-stream", codec: "json" }],
  ["application/grpc-web", { dialect: "grpc-web", codec: "proto" }],
  ["application/grpc-web+proto", { dialect: "grpc-web", codec: "proto" }],
  ["application/grpc-web+json", { dialect: "grpc-web", codec: "json" }],
  ["application/grpc-web-text", { dialect: "grpc-web-text", codec: "proto" }],
  ["application/grpc-web-text+proto", { dialect: "grpc-web-text", codec: "proto" }],
  ["application/grpc-web-text+json", { dialect: "grpc-web-text", codec: "json" }],
]);

/** The form that a content type names, or undefined. Parameters are allowed only as `charset=utf-8` of JSON. */
export function formFromContentType(contentType: string): WireForm | undefined {
  const exact = contentTypes.get(contentType);
  if (exact !== undefined) return exact;
  const [essence = "", ...parameters] = contentType.toLowerCase().split(";");
  const form = contentTypes.get(essence.trim());
  const harmless = parameters.every((p) => p.trim() === "" || /^charset="?utf-8"?$/.test(p.trim()));
  return form !== undefined && harmless ? form : undefined;
}

/** The content type of a message body in this form. */
export function contentTypeOf(dialect: Dialect, codec: Codec): string {
  switch (dialect) {
    case "connect-unary":
    case "connect-get":
      return `application/${codec}`;
    case "connect-stream":
      return `application/connect+${codec}`;
    case "grpc-web":
      return `application/grpc-web+${codec}`;
    case "grpc-web-text":
      return `application/grpc-web-text+${codec}`;
  }
}

/** Which family of protocol headers a dialect uses. */
export function familyOf(dialect: Dialect): "connect" | "grpc-web" {
  return dialect === "grpc-web" || dialect === "grpc-web-text" ? "grpc-web" : "connect";
}

/** Names of the headers that say how messages are compressed, and what the sender would take in return. */
export function encodingHeaders(dialect: Dialect): { encoding: string; accept: string } {
  switch (dialect) {
    case "connect-unary":
    case "connect-get":
      return { encoding: "content-encoding", accept: "accept-encoding" };
    case "connect-stream":
      return { encoding: "connect-content-encoding", accept: "connect-accept-encoding" };
    default:
      return { encoding: "grpc-encoding", accept: "grpc-accept-encoding" };
  }
}
