import { type Code, codeToHttpStatus } from "../../../worker/core/protocol/code.ts";
import type { Received } from "../client.ts";
import { understand } from "../wire.ts";
import type { Attack } from "./attack.ts";
import { dialectOf, type Form } from "./request.ts";

/** Answers of the runtime's or of HTTP alone. */
const noHttp = [0, 400, 404, 405, 414, 415, 431, 501];

/** How an answer is to be understood, in a word. Throws where it is not well-formed in the caller's dialect. */
export function answered(form: Form, reply: Received): string {
  // workerd's own answer to CONNECT.
  if (reply.status === 500 && reply.headers["content-type"] === undefined) return "no-http";
  if (noHttp.includes(reply.status) && reply.headers["content-type"] !== "application/json") return "no-http";
  const { code } = understand(dialectOf(form), reply);
  if (code === "ok") return code;
  const hasStatus = dialectOf(form) === "connect-unary";
  if (code === "unimplemented" && reply.status === 404) return "unimplemented with HTTP 404";
  const status = !hasStatus ? 200 : code === "resource_exhausted" && reply.status === 431 ? 431 : codeToHttpStatus(code as Code);
  if (reply.status !== status) return `${code} with HTTP ${reply.status}`;
  const challenge = reply.headers["www-authenticate"];
  if (code === "unauthenticated" && hasStatus !== (challenge?.startsWith("Bearer") === true)) return `${code} with the challenge ${challenge}`;
  return code;
}

/** What the answers to an attack may be. */
export function wanted({ code }: Pick<Attack, "code">, form: Form): string[] {
  return (typeof code === "string" ? [code] : code).map((one) => (one === "unrouted" ? unrouted(form) : one));
}

/** A GET is known for a call by its method alone. */
function unrouted(form: Form): string {
  if (form === "connect-get") return "no-http";
  return dialectOf(form) === "connect-unary" ? "unimplemented with HTTP 404" : "unimplemented";
}
