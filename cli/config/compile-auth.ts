import type { FileRegistry } from "@bufbuild/protobuf";
import { Algorithm, Allow, type ApiKeys, type Auth, type Authorizer, type ClientCertificates, Counted, type Identity, type Provider, type RateLimit, type Require, type Rule } from "../../gen/fairlead/config/v1/auth_pb.js";
import type { Policy } from "../../gen/fairlead/policy/v1/policy_pb.js";
import {
  type Algorithm as AlgorithmName, type CompiledAuth, type CompiledAuthorizer, type CompiledCertificateProvider, type CompiledIdentity, type CompiledJwtProvider, type CompiledKeyProvider, type CompiledKeySource, type CompiledPolicy, type CompiledProvider, type CompiledRateLimit, type CompiledRequirement, schemaSource,
} from "../../worker/core/config/compiled-auth.ts";
import { compileCondition } from "./conditions.ts";
import { durationMs } from "./duration.ts";
import { ruleMatch } from "./matches.ts";
import { saysWho, schemaPolicies } from "./schema-policies.ts";

/** The names that policies refer to by index, each in order. */
interface Names {
  readonly providers: readonly string[];
  readonly authorizers: readonly string[];
  readonly rateLimits: readonly string[];
}

/** Compiles who may call what; `clusters` are the names of the compiled clusters. */
export function compileAuth(auth: Auth | undefined, registry: FileRegistry, clusters: readonly string[]): CompiledAuth {
  const { providers = {}, authorizers = {}, rateLimits = {}, rules = [] } = auth ?? {};
  const names: Names = { providers: Object.keys(providers).sort(), authorizers: Object.keys(authorizers).sort(), rateLimits: Object.keys(rateLimits).sort() };
  return {
    providers: names.providers.map((name) => compileProvider(name, providers[name]!)),
    policies: [...rules.map((rule, i) => compileRule(rule, i, names)), ...compileSchema(registry, names)],
    identity: compileIdentity(auth?.identity),
    authorizers: names.authorizers.map((name) => compileAuthorizer(name, authorizers[name]!, clusters)),
    rateLimits: names.rateLimits.map((name) => compileRateLimit(name, rateLimits[name]!)),
  };
}

function compileProvider(name: string, provider: Provider): CompiledProvider {
  if (provider.apiKeys !== undefined) return compileApiKeys(name, provider.apiKeys);
  if (provider.clientCertificates !== undefined) return compileCertificates(name, provider.clientCertificates);
  return compileTokens(name, provider);
}

function compileTokens(name: string, { issuer, audiences, algorithms, jwksUri, jwks, discovery, token, clockSkew, scopesClaim, keysKept, strip }: Provider): CompiledJwtProvider {
  const keys: CompiledKeySource = discovery ? { from: "discovery" } : jwks !== "" ? { from: "inline", jwks } : { from: "uri", uri: jwksUri };
  return {
    kind: "jwt",
    name,
    issuer,
    audiences,
    algorithms: algorithms.map(algorithmName),
    keys,
    token: token?.from.case === undefined ? { from: "header", name: "authorization" } : { from: token.from.case, name: token.from.value },
    clockSkewMs: clockSkew ? durationMs(clockSkew) : 30_000,
    scopesClaim: scopesClaim === "" ? null : claimPath(scopesClaim),
    keysKeptMs: keysKept ? durationMs(keysKept) : 24 * 3_600_000,
    strip,
  };
}

/** JOSE's spelling: https://www.iana.org/assignments/jose/jose.xhtml */
export function algorithmName(algorithm: Algorithm): AlgorithmName {
  return algorithm === Algorithm.EDDSA ? "EdDSA" : (Algorithm[algorithm] as Exclude<AlgorithmName, "EdDSA">);
}

function compileApiKeys(name: string, { header, keys, stored }: ApiKeys): CompiledKeyProvider {
  return { kind: "api-key", name, header: apiKeyHeader(header), keys: keys.map(({ name, sha256, scopes }) => ({ name, sha256, scopes })), stored };
}

export function apiKeyHeader(header: string): string {
  return header === "" ? "x-api-key" : header;
}

function compileCertificates(name: string, { allowed, trustedHeader }: ClientCertificates): CompiledCertificateProvider {
  const orNull = (text: string) => (text === "" ? null : text);
  return { kind: "certificate", name, allowed: allowed.map(({ name, sha256, subject, scopes }) => ({ name, sha256: orNull(sha256), subject: orNull(subject), scopes })), trustedHeader };
}

function compileRule(rule: Rule, index: number, names: Names): CompiledPolicy {
  return {
    match: ruleMatch(rule.match),
    source: `auth.rules[${index}]`,
    requirements: rule.allow === Allow.PUBLIC ? [] : requirementsOf(rule).map((require) => compileRequirement(require, names)),
    authorizer: rule.authorizer === "" ? null : names.authorizers.indexOf(rule.authorizer),
    rateLimits: rule.rateLimits.map((name) => names.rateLimits.indexOf(name)),
  };
}

/** `require` is an `any` of one. */
export function requirementsOf({ require, any }: Rule): readonly Require[] {
  return require === undefined ? any : [require];
}

/** A policy whose provider is not there is left out: only where a rule stands before it does a config with such a one get here. */
function compileSchema(registry: FileRegistry, names: Names): CompiledPolicy[] {
  const hasProvider = ({ public: everybody, provider }: Policy) => everybody || (provider === "" ? names.providers.length === 1 : names.providers.includes(provider));
  return schemaPolicies(registry).filter(({ policy }) => saysWho(policy) && hasProvider(policy)).map(({ method, policy }) => compileSchemaPolicy(method, policy, names));
}

function compileSchemaPolicy(method: string, policy: Policy, names: Names): CompiledPolicy {
  const requirements = policy.public ? [] : [compileRequirement({ ...policy, condition: "" }, names)];
  return { match: { kind: "method", path: method, host: null, basePath: null }, source: schemaSource, requirements, authorizer: null, rateLimits: [] };
}

function compileRequirement({ provider, scopes, claims, condition }: Pick<Require, "provider" | "scopes" | "condition"> & { readonly claims: Readonly<Record<string, { readonly values: readonly string[] }>> }, names: Names): CompiledRequirement {
  return {
    provider: provider === "" ? 0 : names.providers.indexOf(provider),
    scopes,
    claims: Object.keys(claims).sort().map((name) => ({ path: claimPath(name), values: claims[name]!.values })),
    condition: compileCondition(condition),
  };
}

/** "org.id" is `id` inside `org`; a name with a colon or a slash, as namespaced claims have, is one name. */
export function claimPath(name: string): string[] {
  return /[:/]/.test(name) ? [name] : name.split(".");
}

function compileIdentity(identity: Identity | undefined): CompiledIdentity {
  const { claimsHeader = "", claimHeaders = {}, providerHeader = "", mint } = identity ?? {};
  return {
    claimsHeader,
    providerHeader,
    claimHeaders: Object.keys(claimHeaders).sort().map((header) => ({ header, path: claimPath(claimHeaders[header]!) })),
    mint: mint === undefined ? null : { issuer: mint.issuer, secret: mint.secret, lifetimeMs: mint.lifetime ? durationMs(mint.lifetime) : 60_000, claims: mint.claims.map(claimPath) },
  };
}

function compileAuthorizer(name: string, { cluster, timeout, failOpen, metadata, headers }: Authorizer, clusters: readonly string[]): CompiledAuthorizer {
  return { name, cluster: clusters.indexOf(cluster), timeoutMs: timeout ? durationMs(timeout) : 500, failOpen, metadata, headers };
}

const counted: Readonly<Record<Counted, CompiledRateLimit["per"]>> = {
  [Counted.COUNTED_UNSPECIFIED]: "principal",
  [Counted.PRINCIPAL]: "principal",
  [Counted.ADDRESS]: "address",
  [Counted.METHOD]: "method",
};

function compileRateLimit(name: string, { per, calls, period, binding, shared }: RateLimit): CompiledRateLimit {
  return { name, per: counted[per], calls, periodMs: period ? durationMs(period) : 0, binding: binding === "" ? null : binding, shared };
}
