import type { Outcome } from "../core/balance/observation.ts";
import { type Failure, failureToEnd } from "../core/failure.ts";
import type { Code } from "../core/protocol/code.ts";

/** What a failure says of the endpoint: of an HTTP error that is no RPC's end, 4xx is the request's fault (429, too: it came too often), 5xx the origin's. */
export function codeOf(failure: Failure): Code {
  const { code } = failureToEnd(failure);
  if (failure.kind !== "origin-status" || failure.status < 400) return code;
  if (failure.status < 500) return "failed_precondition";
  return code === "unavailable" ? code : "internal";
}

/** Whom a failure tells something of: not the origin, where the caller left or the proxy refused. */
export function blame(failure: Failure, unseen: boolean): Outcome["by"] {
  const { kind } = failure;
  if (kind === "transport") return unseen && failure.reached === "maybe" ? "left" : "transport";
  return kind === "origin-status" || kind === "malformed-reply" || kind === "malformed-reply-type" || kind === "reply-count" ? "answered" : "left";
}
