/** Who may call what, compiled: the part of the compiled config that `worker/core/auth` and `worker/auth` take. */

import type { CompiledMatch } from "./compiled.ts";

export type Algorithm = "RS256" | "RS384" | "RS512" | "PS256" | "PS384" | "PS512" | "ES256" | "ES384" | "ES512" | "EdDSA";

export interface CompiledAuth {
  /** In order of name. */
  readonly providers: readonly CompiledProvider[];
  /** Of the config, then of the schema; the policy of a method is found by `match`, most specific first, config before schema. */
  readonly policies: readonly CompiledPolicy[];
  readonly identity: CompiledIdentity;
  readonly authorizers: readonly CompiledAuthorizer[];
  readonly rateLimits: readonly CompiledRateLimit[];
}

export type CompiledProvider = CompiledJwtProvider | CompiledKeyProvider | CompiledCertificateProvider;

export interface CompiledJwtProvider {
  readonly kind: "jwt";
  readonly name: string;
  readonly issuer: string;
  readonly audiences: readonly string[];
  readonly algorithms: readonly Algorithm[];
  readonly keys: CompiledKeySource;
  readonly token: { readonly from: "header" | "cookie"; readonly name: string };
  readonly clockSkewMs: number;
  /** The claim's path; null: `scope`, then `scp`. */
  readonly scopesClaim: readonly string[] | null;
  readonly keysKeptMs: number;
  readonly strip: boolean;
}

export type CompiledKeySource =
  | { readonly from: "uri"; readonly uri: string }
  | { readonly from: "discovery" }
  /** The text of a JSON Web Key Set. */
  | { readonly from: "inline"; readonly jwks: string };

export interface CompiledKeyProvider {
  readonly kind: "api-key";
  readonly name: string;
  readonly header: string;
  readonly keys: readonly { readonly name: string; readonly sha256: string; readonly scopes: readonly string[] }[];
  readonly stored: boolean;
}

export interface CompiledCertificateProvider {
  readonly kind: "certificate";
  readonly name: string;
  readonly allowed: readonly { readonly name: string; readonly sha256: string | null; readonly subject: string | null; readonly scopes: readonly string[] }[];
  /** "" where only the platform's word counts. */
  readonly trustedHeader: string;
}

/** The `source` of a policy that the schema gives. */
export const schemaSource = "the schema";

/** Which calls a policy is for. */
export interface CompiledPolicyMatch extends Pick<CompiledMatch, "kind" | "path" | "host"> {
  /** null: any; "": none. */
  readonly basePath: string | null;
}

export interface CompiledPolicy {
  readonly match: CompiledPolicyMatch;
  /** Where it was said, for whoever reads an explanation: "auth.rules[2]", or `schemaSource`. */
  readonly source: string;
  /** Empty: public. Otherwise a caller must meet one of them. */
  readonly requirements: readonly CompiledRequirement[];
  /** Index in `authorizers`, or null. */
  readonly authorizer: number | null;
  /** Indices in `rateLimits`. */
  readonly rateLimits: readonly number[];
}

export interface CompiledRequirement {
  /** Index in `providers`. */
  readonly provider: number;
  readonly scopes: readonly string[];
  /** Each claim by its path, with the values of which it must have one. */
  readonly claims: readonly { readonly path: readonly string[]; readonly values: readonly string[] }[];
  /** A CEL expression that was parsed at build, or null. */
  readonly condition: CompiledCondition | null;
}

export interface CompiledCondition {
  readonly text: string;
  /** A cel.expr.ParsedExpr in base64. */
  readonly parsed: string;
}

export interface CompiledIdentity {
  /** "" where there is none. */
  readonly claimsHeader: string;
  readonly claimHeaders: readonly { readonly header: string; readonly path: readonly string[] }[];
  /** Tells the name of the provider who vouches; "" where there is none. */
  readonly providerHeader: string;
  readonly mint: { readonly issuer: string; readonly secret: string; readonly lifetimeMs: number; readonly claims: readonly (readonly string[])[] } | null;
}

export interface CompiledAuthorizer {
  readonly name: string;
  /** Index in `clusters`. */
  readonly cluster: number;
  readonly timeoutMs: number;
  readonly failOpen: boolean;
  readonly metadata: readonly string[];
  /** In lower case: those that its answers may set on what goes to the origin, and that are withheld from every caller. */
  readonly headers: readonly string[];
}

export interface CompiledRateLimit {
  readonly name: string;
  readonly per: "principal" | "address" | "method";
  readonly calls: number;
  readonly periodMs: number;
  /** null: counted in the isolate, or by all isolates together where it is `shared`. */
  readonly binding: string | null;
  readonly shared: boolean;
}
