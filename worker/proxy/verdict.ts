import type { Outcome } from "../core/balance/observation.ts";
import { type Failed, pushbackOfLimit } from "../core/balance/retry.ts";
import { type Failure, failureToEnd } from "../core/failure.ts";
import type { End } from "../core/protocol/end.ts";
import type { Fields } from "../core/protocol/fields.ts";

/** What the end of an attempt says of its endpoint, and of another attempt. */
export interface Verdict extends Pick<Outcome, "code" | "by"> {
  /** Undefined where the answer is good. */
  readonly failed: Failed | undefined;
}

/** Of a reply that is there to its end. */
export function verdictOnReply(headers: Fields, { code, metadata, limited }: End): Verdict {
  if (limited) return { ...askedTooOften, failed: { code, unreached: false, pushback: pushbackOfLimit(headers.get("retry-after")) } };
  const pushback = metadata.get("grpc-retry-pushback-ms") ?? headers.get("grpc-retry-pushback-ms");
  return { code, by: "answered", failed: code === "ok" ? undefined : { code, unreached: false, pushback } };
}

/** Of an attempt without a reply; `unseen`: it may be the caller who broke it off. */
export function verdictOnFailure(failure: Failure, unseen: boolean): Verdict {
  const { code } = failureToEnd(failure);
  const failed = { code, unreached: failure.kind === "transport" && failure.reached === "no", pushback: null };
  switch (failure.kind) {
    case "transport": return { code, by: unseen && failure.reached === "maybe" ? "left" : "transport", failed };
    case "origin-status": return onStatus(failure, failed);
    case "malformed-reply": case "malformed-reply-type": case "reply-count": return { code, by: "answered", failed };
    default: return { code, by: "left", failed };
  }
}

/** HTTP 429: the request's fault, not the endpoint's. */
const askedTooOften = { code: "failed_precondition", by: "answered" } as const;

/** Of an HTTP error that is no RPC's end, 4xx is the request's fault, 5xx the origin's, but for what it does not do for anybody: 501, and 505, as connect-go says of a bidi stream over HTTP/1. */
function onStatus({ status, retryAfter = null }: Extract<Failure, { kind: "origin-status" }>, failed: Failed): Verdict {
  if (status === 429) return { ...askedTooOften, failed: { ...failed, pushback: pushbackOfLimit(retryAfter) } };
  const code = status < 400 || failed.code === "unavailable" ? failed.code : status < 500 || status === 501 || status === 505 ? "failed_precondition" : "internal";
  return { code, by: "answered", failed };
}
