import { createHash } from "node:crypto";
import { forge, by, pair, type Pair, type Part } from "./forge.ts";

/** Everybody in the play: identity providers with their keys, and keys that are nobody's. All of them are new at each run. */
export const keys = {
  main: pair("k1"),
  /** Another provider's key under the same kid. */
  other: pair("k1"),
  pss: pair("ps", "PS256"),
  ec: pair("ec", "ES256"),
  ed: pair("ed", "EdDSA"),
  /** Nobody's. */
  stranger: pair("k1"),
  weak: pair("weak", "RS256", 1024),
  first: pair("first"),
  second: pair("second"),
} as const;

export type IssuerName = keyof typeof issuers;

/** What `iss` and `aud` each provider's tokens have. */
export const issuers = {
  main: { iss: "https://main.id.example", key: keys.main },
  other: { iss: "https://other.id.example", key: keys.other },
  many: { iss: "https://many.id.example", key: keys.ec },
  strict: { iss: "https://strict.id.example", key: keys.main },
  header: { iss: "https://header.id.example", key: keys.main },
  cookie: { iss: "https://cookie.id.example", key: keys.main },
} as const;

export const audience = "https://api.example";

export function now(): number {
  return Math.floor(Date.now() / 1000);
}

/** Claims that are good for the main provider, with these instead; what is undefined is left out. */
export function claims(instead: Record<string, unknown> = {}, from: IssuerName = "main"): Record<string, unknown> {
  return { iss: issuers[from].iss, aud: audience, sub: "ada", iat: now() - 10, exp: now() + 600, scope: "read", ...instead };
}

export function header(instead: Record<string, unknown> = {}, key: Pair = keys.main): Record<string, unknown> {
  return { alg: key.alg, kid: key.kid, typ: "JWT", ...instead };
}

/** A token that is good but for what is said. */
export function token(instead: Record<string, unknown> = {}, from: IssuerName = "main"): string {
  const { key } = issuers[from];
  return forge(header({}, key), claims(instead, from), by(key));
}

/** A token of the main provider with this header, which is good but for what is said. */
export function headed(instead: Record<string, unknown>): string {
  return forge(header(instead), claims(), by(keys.main));
}

/** A token of the main provider whose parts are these, signed well. */
export function written(head: Part, body: Part): string {
  return forge(head, body, by(keys.main));
}

export const apiKey = { config: "key-in-the-config-0123456789", stored: "key-in-the-store-0123456789", revoked: "key-that-was-revoked-0123456789", gone: "key-that-was-in-the-config-once" };

export function sha256(text: string | Uint8Array): string {
  return createHash("sha256").update(text).digest("hex");
}

/** The certificate that the front's provider takes. */
export const certificate = { hash: sha256("a certificate"), subject: "CN=device-1,O=Acme" };
