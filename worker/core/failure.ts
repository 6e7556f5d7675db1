import type { Fields } from "./protocol/fields.ts";
import type { Code } from "./protocol/code.ts";
import { codeFromHttpStatus } from "./protocol/code.ts";
import { type End, errorEnd } from "./protocol/end.ts";

/** What went wrong inside the proxy. `failureToEnd` is the one place that says how it looks on the wire. */
export type Failure =
  | { readonly kind: "unknown-method"; readonly reason: "path" | "route" }
  | { readonly kind: "not-described"; readonly needs: "kind" | "types" }
  | { readonly kind: "malformed-request"; readonly what: string }
  | { readonly kind: "wrong-message-count"; readonly what: string }
  | { readonly kind: "unsupported-encoding"; readonly name: string }
  | { readonly kind: "unexpected-compression" }
  | { readonly kind: "message-too-large"; readonly limit: number }
  | { readonly kind: "headers-too-large"; readonly limit: number }
  /** `alone`: even if nothing else were held. */
  | { readonly kind: "over-budget"; readonly alone: boolean }
  | { readonly kind: "deadline" }
  | { readonly kind: "stream-idle" }
  | { readonly kind: "left" }
  | { readonly kind: "nowhere-to-go" }
  | { readonly kind: "circuit-open" }
  /** `answered`: somebody did, if not with an RPC's end. */
  | { readonly kind: "transport"; readonly reached: "no" | "maybe"; readonly cause: string; readonly answered?: true }
  /** `retryAfter`: the header, where the status says that it is for the caller to slow down (429). */
  | { readonly kind: "origin-status"; readonly status: number; readonly retryAfter?: string | null }
  | { readonly kind: "malformed-reply"; readonly what: string }
  | { readonly kind: "malformed-reply-type"; readonly what: string }
  | { readonly kind: "reply-count"; readonly what: string }
  /** A good reply that the caller's codec has no words for; `what` may repeat something of it, and is for nobody but the log. */
  | { readonly kind: "reply-unwritable"; readonly what: string }
  | { readonly kind: "refused"; readonly code: Code; readonly message: string }
  | { readonly kind: "defect" };

/** The encodings that the proxy opens, as a header lists them. */
export const supportedEncodings = "gzip, identity";

/** Of what a caller made up a beginning is enough. */
function shortened(text: string): string {
  return text.length > 100 ? `${text.slice(0, 100)}…` : text;
}

function say(failure: Failure): [Code, string] {
  switch (failure.kind) {
    case "unknown-method":
      return ["unimplemented", failure.reason === "path" ? "no such method: the path must be /package.Service/Method" : "no such method"];
    case "not-described":
      return ["unimplemented", `cannot translate this call: the proxy does not know the method's ${failure.needs}`];
    case "malformed-request": return ["invalid_argument", failure.what];
    case "wrong-message-count": return ["unimplemented", failure.what];
    case "unsupported-encoding":
      return ["unimplemented", `unknown compression "${shortened(failure.name)}": supported encodings are ${supportedEncodings}`];
    case "unexpected-compression":
      return ["internal", "a message is flagged as compressed, but no encoding was declared"];
    case "message-too-large":
      return ["resource_exhausted", `message is larger than the limit of ${failure.limit} bytes`];
    case "headers-too-large":
      return ["resource_exhausted", `headers are larger than the limit of ${failure.limit} bytes`];
    case "over-budget": return ["resource_exhausted", failure.alone ? "the call takes more memory than the proxy may use" : "the proxy holds too much at the moment"];
    case "deadline": return ["deadline_exceeded", "the deadline passed"];
    case "stream-idle": return ["deadline_exceeded", "nothing moved on this stream for too long"];
    case "left": return ["canceled", "the caller left"];
    case "nowhere-to-go": return ["unavailable", "no origin may take this call"];
    case "circuit-open": return ["unavailable", "too many calls are under way"];
    case "transport": return ["unavailable", "the origin could not be reached"];
    case "origin-status": return [codeFromHttpStatus(failure.status), `the origin answered HTTP ${failure.status}`];
    case "malformed-reply": return ["internal", `the origin's reply is malformed: ${failure.what}`];
    case "malformed-reply-type": return ["unknown", `the origin's reply is malformed: ${failure.what}`];
    case "reply-count": return ["unimplemented", `the origin's reply is malformed: ${failure.what}`];
    case "reply-unwritable": return ["internal", "the origin's reply cannot be written in the caller's codec"];
    case "refused": return [failure.code, failure.message];
    case "defect": return ["internal", "internal error"];
  }
}

/** The end that a failure becomes: a code and a generic text. */
export function failureToEnd(failure: Failure, metadata?: Fields): End {
  const [code, message] = say(failure);
  return { ...errorEnd(code, message, metadata), madeUp: true };
}

/** The HTTP status of a failure in Connect unary, where it is another than its code's: an unknown path is a 404. */
export function failureHttpStatus(failure: Failure): number | undefined {
  const unknown = failure.kind === "unknown-method" || (failure.kind === "origin-status" && failure.status === 404);
  return unknown ? 404 : undefined;
}

/** A failure that crosses code which can only throw (stream readers); whoever waits for it turns it back into a value. */
export class FailureError extends Error {
  readonly failure: Failure;
  constructor(failure: Failure) {
    super(failure.kind);
    this.failure = failure;
  }
}

/** The failure inside a thrown value; anything else is a defect of ours. */
export function failureOf(thrown: unknown): Failure {
  return thrown instanceof FailureError ? thrown.failure : { kind: "defect" };
}
