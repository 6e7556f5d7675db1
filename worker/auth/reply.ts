import type { Fields } from "../core/protocol/fields.ts";
import { type Refusal, refusalSays, refusalToWire } from "../core/auth/refusal.ts";
import type { CompiledPolicy } from "../core/config/compiled-auth.ts";
import { errorEnd } from "../core/protocol/end.ts";
import { sharedCachingIn } from "../core/protocol/caching.ts";
import { addVary } from "../core/protocol/vary.ts";
import { retryInfo } from "../core/protocol/retry-info.ts";
import type { Call, Reply } from "../proxy/call.ts";
import type { Ports } from "../proxy/ports.ts";
import { writeEnd } from "../proxy/write-reply.ts";

/** Answers a call that may not pass, in the caller's dialect; the reason goes to the log and to who may ask for an explanation. */
export function refused(call: Call, refusal: Refusal, policy: CompiledPolicy | undefined, { log }: Pick<Ports, "log">): Reply {
  const reason = refusalSays(refusal);
  const { code, message, challenge } = refusalToWire(refusal);
  log({ level: "info", event: "refused", method: call.path, code, kind: refusal.kind, reason, policy: policy?.source ?? null });
  call.trace.refused = reason;
  const waitMs = refusal.kind === "rate-limited" ? refusal.retryAfterMs : undefined;
  const reply = writeEnd(call, { ...errorEnd(code, message), details: waitMs === undefined ? [] : [retryInfo(waitMs)] });
  if (hasHttpStatus(call)) {
    if (challenge !== undefined) reply.headers.set("www-authenticate", challenge);
    if (waitMs !== undefined) reply.headers.set("retry-after", String(Math.ceil(waitMs / 1000)));
  }
  reply.headers.set("cache-control", "no-store");
  return { ...reply, early: true };
}

/** Whether a dialect says how a call ended with HTTP's status, and so with its headers. */
function hasHttpStatus({ form: { dialect } }: Call): boolean {
  return dialect === "connect-unary" || dialect === "connect-get";
}

/** Keeps a reply to one caller out of caches that others use, and out of the hands of the next one at the same browser. */
export function keepPrivate({ form, shown }: Pick<Call, "form" | "shown">, headers: Fields): void {
  const said = headers.get("cache-control");
  headers.set("cache-control", said === null ? "private" : privately(said));
  for (const name of sharedCachingIn(headers)) headers.delete(name);
  if (form.dialect !== "connect-get") return;
  addVary(headers, Object.keys(shown));
}

/** In letters; of a longer value nothing is read. */
const mostSaid = 500;

/** A value of `cache-control` with `private` first, and without what lets others keep the reply. One that cannot be read lets nobody. */
function privately(said: string): string {
  if (said.length > mostSaid) return "private, no-store";
  const directives = [...said.matchAll(/\s*([\w!#$%&'*+.^`|~-]*(?:=(?:"(?:[^"\\]|\\.)*"|[^",]*))?)\s*(?:,|$)/gy)];
  if (directives.reduce((length, [whole]) => length + whole.length, 0) < said.length) return "private, no-store";
  const kept = directives.map(([, directive = ""]) => directive.trim()).filter((one) => one !== "" && !/^(?:public|private|s-maxage)(?:=|$)/i.test(one));
  return ["private", ...kept].join(", ");
}
