import type { Code } from "../../../worker/core/protocol/code.ts";
import type { Form, Written } from "./request.ts";

/**
 * How a call is refused: with a code in the caller's dialect; `unrouted`, as `unimplemented`, or HTTP 404 where the dialect cannot be
 * known without the method; or `no-http`: it is no HTTP that the runtime takes, or a request that nobody may make (400, 404, 405, 414,
 * 415, 431, or the connection closed).
 */
export type Refused = Exclude<Code, "ok"> | "unrouted" | "no-http";

export interface Attack {
  readonly name: string;
  readonly service: string;
  /** One of them, where runtimes differ in what they let through to the proxy. */
  readonly code: Refused | "ok" | readonly Refused[];
  /** Default: all. */
  readonly forms?: readonly Form[];
  /** What is sent beside what the form says; made as it is sent. */
  readonly sent: () => Omit<Written, "form" | "service">;
}

type Sent = Attack["sent"];

interface Further {
  readonly service?: string;
  readonly code?: Attack["code"];
  readonly forms?: readonly Form[];
}

/** An attack on the main provider's service unless told; refused as unauthenticated unless told. */
export function attack(name: string, sent: Sent, { service = "Main", code = "unauthenticated", forms }: Further = {}): Attack {
  return { name, service: `guard.v1.${service}`, code, sent, ...(forms && { forms }) };
}

/** With this value of `authorization`. */
export function shows(name: string, value: () => string, further: Further = {}): Attack {
  return attack(name, () => ({ fields: [["authorization", value()]] }), further);
}

/** With this token. */
export function bearer(name: string, token: () => string, further: Further = {}): Attack {
  return shows(name, () => `Bearer ${token()}`, further);
}

/** All that are written as POST. */
export const posts: readonly Form[] = ["connect-unary", "connect-unary json", "connect-stream", "grpc-web", "grpc-web-text"];
export const onlyGet: readonly Form[] = ["connect-get"];
export const onlyWeb: readonly Form[] = ["grpc-web"];
export const onlyUnary: readonly Form[] = ["connect-unary"];
