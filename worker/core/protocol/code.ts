/** The canonical RPC codes: https://grpc.github.io/grpc/core/md_doc_statuscodes.html; names as Connect writes them. */
export const codes = [
  "ok", "canceled", "unknown", "invalid_argument", "deadline_exceeded", "not_found", "already_exists",
  "permission_denied", "resource_exhausted", "failed_precondition", "aborted", "out_of_range",
  "unimplemented", "internal", "unavailable", "data_loss", "unauthenticated",
] as const;

export type Code = (typeof codes)[number];

const httpStatus: Record<Code, number> = {
  ok: 200, canceled: 499, unknown: 500, invalid_argument: 400, deadline_exceeded: 504, not_found: 404,
  already_exists: 409, permission_denied: 403, resource_exhausted: 429, failed_precondition: 400,
  aborted: 409, out_of_range: 400, unimplemented: 501, internal: 500, unavailable: 503, data_loss: 500,
  unauthenticated: 401,
};

/** HTTP status of a Connect unary reply that ends with `code`: https://connectrpc.com/docs/protocol#error-codes */
export function codeToHttpStatus(code: Code): number {
  return httpStatus[code];
}

/**
 * What an HTTP status means where no RPC end came with it: https://connectrpc.com/docs/protocol#http-to-error-code
 * On Cloudflare 520 to 530 are the platform's own words for an origin that it could not reach or understand.
 */
export function codeFromHttpStatus(status: number): Code {
  if (status >= 520 && status <= 530) return "unavailable";
  switch (status) {
    case 400: return "internal";
    case 401: return "unauthenticated";
    case 403: return "permission_denied";
    case 404: return "unimplemented";
    case 429: case 502: case 503: case 504: return "unavailable";
    default: return "unknown";
  }
}

/** The number that gRPC writes. */
export function codeToNumber(code: Code): number {
  return codes.indexOf(code);
}

/** Reads a `grpc-status`: decimal digits of a known code, or undefined. */
export function codeFromGrpcStatus(text: string): Code | undefined {
  return /^\d{1,3}$/.test(text) ? codes[Number(text)] : undefined;
}

/** Reads the `code` of a Connect error, or undefined if it is none ("ok" is none). */
export function codeFromConnect(name: unknown): Code | undefined {
  return typeof name === "string" && name !== "ok" && (codes as readonly string[]).includes(name) ? (name as Code) : undefined;
}
