import type { Algorithm, CompiledJwtProvider } from "../config/compiled-auth.ts";
import { type Claims, isJsonObject, ownMember } from "./claims.ts";
import { isCanonical, strictJsonOf } from "./json.ts";

/** A JSON Web Token (https://www.rfc-editor.org/rfc/rfc7519) in compact form, read, but with its signature still to be verified. */
export interface ShownToken {
  readonly text: string;
  readonly alg: string;
  readonly kid: string | undefined;
  readonly issuer: string;
  readonly claims: Claims;
}

/** What may be wrong with a token, and how that is said to whoever runs the proxy. */
export const tokenFaults = {
  scheme: "authorization is not one Bearer token",
  size: "it is larger than 8 KiB",
  form: "it is not three parts in base64url",
  header: "its header cannot be read",
  claims: "its claims cannot be read",
  type: "it is a token of another kind",
  critical: "it has an extension that must be understood",
  issuer: "no provider has its issuer",
  algorithm: "it is signed in a way that the provider does not allow",
  audience: "it is meant for somebody else",
  "no-expiry": "it does not say when it expires",
  date: "a date in it is no date",
  expired: "it has expired",
  early: "it is not good yet",
  future: "it was issued in the future",
  subject: "its subject is no text",
  "unknown-key": "its provider has no key that fits it",
  "many-keys": "its provider has several keys that fit it",
  signature: "its signature is wrong",
} as const;

export type TokenFault = keyof typeof tokenFaults;

export const mostTokenLength = 8 * 1024;

/** What stands in a value of `authorization` behind "Bearer", in any case, and one blank; undefined where nothing does. */
export function bearerToken(value: string): string | undefined {
  return value.length > 7 && value.slice(0, 7).toLowerCase() === "bearer " ? value.slice(7) : undefined;
}

/** Reads a token's text strictly. What it says is not yet compared with anything, and nobody has vouched for it. */
export function readToken(text: string): ShownToken | TokenFault {
  if (text.length > mostTokenLength) return "size";
  if (!/^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+$/.test(text)) return "form";
  const [head, body, signature] = text.split(".") as [string, string, string];
  if (!(isCanonical(head) && isCanonical(body) && isCanonical(signature))) return "form";
  const header = strictJsonOf(head);
  if (!isJsonObject(header)) return "header";
  const alg = ownMember(header, "alg");
  const kid = ownMember(header, "kid");
  if (typeof alg !== "string" || (kid !== undefined && typeof kid !== "string")) return "header";
  if (["crit", "b64", "enc", "zip"].some((name) => Object.hasOwn(header, name))) return "critical";
  if (!isAccessType(ownMember(header, "typ")) || Object.hasOwn(header, "cty")) return "type";
  const claims = strictJsonOf(body);
  if (!isJsonObject(claims)) return "claims";
  const issuer = ownMember(claims, "iss");
  return typeof issuer === "string" ? { text, alg, kid, issuer, claims } : "issuer";
}

/** Tokens for logging out, for events or for proofs are signed with the same keys: https://www.rfc-editor.org/rfc/rfc8725#section-3.11 */
function isAccessType(type: unknown): boolean {
  return type === undefined || (typeof type === "string" && /^(?:(?:application\/)?(?:at\+)?jwt|jose)$/i.test(type));
}

/** What of a provider its tokens are compared with. */
export type Expected = Pick<CompiledJwtProvider, "issuer" | "audiences" | "algorithms" | "clockSkewMs">;

/** Compares what a token says with what its provider's tokens must say, at `now` (milliseconds since the epoch); undefined where it fits. */
export function tokenFault({ alg, issuer, claims }: ShownToken, provider: Expected, now: number): TokenFault | undefined {
  if (issuer !== provider.issuer) return "issuer";
  if (!(provider.algorithms as readonly string[]).includes(alg)) return "algorithm";
  if (!hasAudience(ownMember(claims, "aud"), provider.audiences)) return "audience";
  const subject = ownMember(claims, "sub");
  if (subject !== undefined && typeof subject !== "string") return "subject";
  return dateFault(claims, provider.clockSkewMs, now);
}

function hasAudience(said: unknown, audiences: readonly string[]): boolean {
  const list: readonly unknown[] = Array.isArray(said) ? said : [said];
  return list.every((one) => typeof one === "string") && list.some((one) => audiences.includes(one));
}

/** The end of the year 9999, in seconds: a date beyond it is milliseconds, or a mistake. */
const lastDate = 253_402_300_800;

function dateFault(claims: Claims, skewMs: number, now: number): TokenFault | undefined {
  const dates = ["exp", "nbf", "iat"].map((name) => ownMember(claims, name));
  if (dates[0] === undefined) return "no-expiry";
  if (!dates.every((date) => date === undefined || isDate(date))) return "date";
  const [exp, nbf, iat] = dates as [number, number?, number?];
  if (now >= untilOf(exp, skewMs)) return "expired";
  if (nbf !== undefined && nbf * 1000 > now + skewMs) return "early";
  if (iat !== undefined && iat * 1000 > now + skewMs) return "future";
  return undefined;
}

function isDate(value: unknown): boolean {
  return typeof value === "number" && value >= 0 && value < lastDate;
}

/** From when on a token with this `exp` (in seconds) is not taken any more, in milliseconds since the epoch. */
export function untilOf(exp: number, skewMs: number): number {
  return exp * 1000 + skewMs;
}

export function isAlgorithm(name: unknown): name is Algorithm {
  return typeof name === "string" && /^(?:(?:RS|PS|ES)(?:256|384|512)|EdDSA)$/.test(name);
}
