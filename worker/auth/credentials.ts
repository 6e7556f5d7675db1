import { apiKeys, isShownKey } from "../core/auth/api-keys.ts";
import { certificateOwner, forwardedCertificate } from "../core/auth/certificate.ts";
import { cookieOf, mayUseCookie } from "../core/auth/cookie.ts";
import type { Principal } from "../core/auth/principal.ts";
import type { Refusal } from "../core/auth/refusal.ts";
import { bearerToken } from "../core/auth/token.ts";
import type { CompiledAuth, CompiledCertificateProvider, CompiledJwtProvider, CompiledKeyProvider, CompiledProvider } from "../core/config/compiled-auth.ts";
import type { Call } from "../proxy/call.ts";
import type { Ports } from "../proxy/ports.ts";
import { type Introduce, introducer } from "./introduce.ts";
import { sha256Hex } from "./sha256.ts";
import { storedKeys } from "./stored-keys.ts";
import { tokenJudge } from "./tokens.ts";

/** What of a call a credential is read from. */
export type Shown = Pick<Call, "request" | "facts" | "shown">;

/** One place where a call may show a credential: who that is, why it is nobody, or undefined where there is none. */
export type Look = (call: Shown) => Promise<Principal | Refusal> | Principal | Refusal | undefined;

interface Of<P extends CompiledProvider> {
  readonly provider: P;
  readonly index: number;
}

const forever = Infinity;

/**
 * The places where calls may show credentials, each with all providers that read it. Whatever stands there must be good for one
 * of them.
 */
export function looks({ auth, allowedOrigins, ports }: { readonly auth: CompiledAuth; readonly allowedOrigins: readonly string[]; readonly ports: Ports }): readonly Look[] {
  const introduce = introducer(auth, ports);
  const all = auth.providers.map((provider, index) => ({ provider, index }));
  const ofKind = <K extends CompiledProvider["kind"]>(kind: K) => all.filter((one): one is Of<Extract<CompiledProvider, { kind: K }>> => one.provider.kind === kind);
  const tokens = Map.groupBy(ofKind("jwt"), ({ provider }) => `${provider.token.from} ${provider.token.name}`);
  const keys = Map.groupBy(ofKind("api-key"), ({ provider }) => provider.header);
  const certificates = Map.groupBy(ofKind("certificate"), ({ provider }) => provider.trustedHeader);
  return [
    ...[...tokens.values()].map((providers) => tokenLook(providers, introduce, allowedOrigins, ports)),
    ...[...keys].map(([header, providers]) => keyLook(header, providers, introduce, ports)),
    ...[...certificates].map(([header, providers]) => certificateLook(header, providers, introduce)),
  ];
}

function tokenLook(providers: readonly Of<CompiledJwtProvider>[], introduce: Introduce, allowedOrigins: readonly string[], ports: Ports): Look {
  const { from, name } = providers[0]!.provider.token;
  const place = from === "cookie" ? `the cookie ${name}` : name;
  const judge = tokenJudge(providers, place, introduce, ports);
  const malformed: Refusal = { kind: "token", fault: "scheme", from: place };
  if (from === "cookie") {
    return ({ request, shown, facts }) => {
      const cookie = shown["cookie"] === undefined ? undefined : cookieOf(shown["cookie"], name);
      if (cookie === undefined) return undefined;
      if (cookie === "unclear") return { kind: "token", fault: "form", from: place };
      const { url, headers } = request;
      const cameFrom = { url, origin: headers.get("origin"), fetchSite: headers.get("sec-fetch-site") };
      return mayUseCookie(cameFrom, allowedOrigins) ? judge(cookie.value, facts.keep) : { kind: "cross-site" };
    };
  }
  return ({ shown, facts }) => {
    const value = shown[name];
    if (value === undefined) return undefined;
    const token = name === "authorization" ? bearerToken(value) : value;
    return token === undefined ? malformed : judge(token, facts.keep);
  };
}

function keyLook(header: string, providers: readonly Of<CompiledKeyProvider>[], introduce: Introduce, ports: Ports): Look {
  const sources = providers.map(({ provider, index }) => ({ index, name: provider.name, inConfig: apiKeys(provider.keys), stored: provider.stored ? storedKeys(provider.name, ports) : undefined }));
  const unknown: Refusal = { kind: "api-key", from: header };

  async function judge(shown: string): Promise<Principal | Refusal> {
    if (!isShownKey(shown)) return unknown;
    const sha256 = await sha256Hex(shown);
    let failure: Refusal | undefined;
    for (const { index, name, inConfig, stored } of sources) {
      const found = inConfig.has(sha256) || stored === undefined ? inConfig : await stored();
      if ("failure" in found) {
        failure ??= found.failure === "corrupt" ? { kind: "api-keys-corrupt", provider: name } : { kind: "api-keys-unavailable", provider: name, cause: found.cause };
        continue;
      }
      const key = found.get(sha256);
      if (key !== undefined) return introduce({ provider: index, subject: key.name, scopes: key.scopes, claims: { sub: key.name }, fingerprint: JSON.stringify([sha256, key.name, key.scopes]), until: forever });
    }
    return failure ?? unknown;
  }

  return ({ shown }) => (shown[header] === undefined ? undefined : judge(shown[header]));
}

function certificateLook(header: string, providers: readonly Of<CompiledCertificateProvider>[], introduce: Introduce): Look {
  return ({ facts, shown }) => {
    const told = header === "" ? undefined : shown[header];
    const certificate = header === "" ? facts.clientCertificate() : told === undefined ? null : forwardedCertificate(told);
    if (certificate === null) return undefined;
    if (certificate === undefined) return { kind: "certificate", because: "unreadable" };
    for (const { provider, index } of providers) {
      const owner = certificateOwner(provider, certificate);
      if (owner === undefined) continue;
      const { name, scopes } = owner;
      return introduce({ provider: index, subject: name, scopes, claims: { sub: name }, fingerprint: JSON.stringify([certificate, name, scopes]), until: forever });
    }
    return { kind: "certificate", because: "unlisted" };
  };
}
