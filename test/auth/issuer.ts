import { CompactSign, exportJWK, generateKeyPair, type JWK, type CryptoKey as JoseKey } from "jose";
import type { Algorithm } from "../../worker/core/config/compiled-auth.ts";

export const issuerName = "https://id.example";

/** A key pair of an identity provider. */
export interface SigningKey {
  readonly kid: string;
  readonly alg: Algorithm;
  readonly privateKey: JoseKey;
  readonly publicJwk: JWK;
  readonly privateJwk: JWK;
}

export async function signingKey(kid: string, alg: Algorithm = "RS256"): Promise<SigningKey> {
  const { publicKey, privateKey } = await generateKeyPair(alg, { extractable: true });
  const privateJwk = { ...(await exportJWK(privateKey)), kid, alg };
  return { kid, alg, privateKey, publicJwk: { ...(await exportJWK(publicKey)), kid, alg, use: "sig" }, privateJwk };
}

export interface TokenParts {
  readonly claims?: Record<string, unknown>;
  readonly header?: Record<string, unknown>;
}

/** A token that is good at `now` (in milliseconds) and for an hour, unless its parts say something else; a part that is undefined is left out. */
export function token(key: SigningKey, now: number, { claims = {}, header = {} }: TokenParts = {}): Promise<string> {
  const seconds = Math.floor(now / 1000);
  const said = { iss: issuerName, aud: "api", sub: "ada", iat: seconds, exp: seconds + 3600, ...claims };
  return new CompactSign(new TextEncoder().encode(JSON.stringify(said))).setProtectedHeader(withoutUndefined({ alg: key.alg, kid: key.kid, typ: "JWT", ...header }) as { alg: string }).sign(key.privateKey);
}

function withoutUndefined(of: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(of).filter(([, value]) => value !== undefined));
}
