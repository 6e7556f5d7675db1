import type { Code } from "../protocol/code.ts";
import type { Unmet } from "./judge.ts";
import { type TokenFault, tokenFaults } from "./token.ts";

/** Why a call may not pass. The caller is told little of it (`refusalToWire`), the log and who may ask for an explanation all (`refusalSays`). */
export type Refusal =
  | { readonly kind: "no-policy"; readonly known: boolean }
  | { readonly kind: "no-credential" }
  | { readonly kind: "token"; readonly fault: TokenFault; readonly from: string }
  | { readonly kind: "api-key"; readonly from: string }
  | { readonly kind: "certificate"; readonly because: "unreadable" | "unlisted" }
  | { readonly kind: "cross-site" }
  | { readonly kind: "keys-unavailable"; readonly provider: string; readonly cause: string }
  | { readonly kind: "api-keys-unavailable"; readonly provider: string; readonly cause: string }
  | { readonly kind: "api-keys-corrupt"; readonly provider: string }
  | { readonly kind: "unmet"; readonly unmet: readonly Unmet[] }
  | { readonly kind: "denied"; readonly authorizer: string; readonly message: string }
  | { readonly kind: "claims-too-deep"; readonly authorizer: string }
  | { readonly kind: "authorizer-unavailable"; readonly authorizer: string; readonly cause: string }
  | { readonly kind: "rate-limited"; readonly limit: string; readonly retryAfterMs: number };

/** What a caller is told. */
export interface RefusalOnWire {
  readonly code: Exclude<Code, "ok">;
  readonly message: string;
  /** The value of `www-authenticate`, where the dialect has a place for it: https://www.rfc-editor.org/rfc/rfc6750#section-3 */
  readonly challenge?: string;
}

export function refusalToWire(refusal: Refusal): RefusalOnWire {
  switch (refusal.kind) {
    case "no-policy": return refusal.known ? forbidden : unknownCaller;
    case "no-credential": return unknownCaller;
    case "token": return badCredential;
    case "api-key": return badCredential;
    case "certificate": return badCredential;
    case "cross-site": return forbidden;
    case "keys-unavailable": return unavailable;
    case "api-keys-unavailable": return unavailable;
    case "api-keys-corrupt": return { code: "internal", message: "the caller's credential cannot be checked" };
    case "unmet": return lacksScope(refusal.unmet) ? { ...forbidden, challenge: 'Bearer error="insufficient_scope"' } : forbidden;
    case "denied": return refusal.message === "" ? forbidden : { ...forbidden, message: refusal.message };
    case "claims-too-deep": return forbidden;
    case "authorizer-unavailable": return unavailable;
    case "rate-limited": return { code: "resource_exhausted", message: "too many calls" };
  }
}

const unknownCaller: RefusalOnWire = { code: "unauthenticated", message: "a credential is needed", challenge: "Bearer" };
const badCredential: RefusalOnWire = { code: "unauthenticated", message: "the credential is not valid", challenge: 'Bearer error="invalid_token"' };
const forbidden: RefusalOnWire = { code: "permission_denied", message: "the caller may not do this" };
const unavailable: RefusalOnWire = { code: "unavailable", message: "it cannot be found out at the moment whether the caller may do this" };

function lacksScope(unmet: readonly Unmet[]): boolean {
  return unmet.some(({ lacks }) => lacks === "scope");
}

/** The reason for whoever runs the proxy. Has nothing of a token, a key or a cookie in it. */
export function refusalSays(refusal: Refusal): string {
  switch (refusal.kind) {
    case "no-policy": return "no rule and no schema says who may call this method";
    case "no-credential": return "the call shows no credential";
    case "token": return `the token in ${refusal.from} is not valid: ${tokenFaults[refusal.fault]}`;
    case "api-key": return `the API key in ${refusal.from} is not known`;
    case "certificate": return refusal.because === "unlisted" ? "the client certificate is not allowed" : "what is told of the client certificate cannot be read";
    case "cross-site": return "the cookie came from a page of another site, or nobody knows from where";
    case "keys-unavailable": return `the keys of ${refusal.provider} cannot be had: ${refusal.cause}`;
    case "api-keys-unavailable": return `the stored API keys of ${refusal.provider} cannot be had: ${refusal.cause}`;
    case "api-keys-corrupt": return `the stored API keys of ${refusal.provider} cannot be read`;
    case "unmet": return `the caller meets none of the requirements: ${refusal.unmet.map(unmetSays).join("; ")}`;
    case "denied": return `${refusal.authorizer} denies it`;
    case "claims-too-deep": return `the caller's claims are nested too deeply to be told to ${refusal.authorizer}`;
    case "authorizer-unavailable": return `${refusal.authorizer} cannot be asked: ${refusal.cause}`;
    case "rate-limited": return `the rate limit ${refusal.limit} is used up`;
  }
}

function unmetSays(unmet: Unmet): string {
  switch (unmet.lacks) {
    case "provider": return "another provider must vouch for it";
    case "scope": return `it lacks the scope ${unmet.scope}`;
    case "claim": return `its claim ${unmet.path.join(".")} is none of those that are wanted`;
    case "condition": return `the condition ${unmet.text} does not hold: ${unmet.because}`;
  }
}
