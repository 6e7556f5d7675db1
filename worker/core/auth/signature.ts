import type { Algorithm } from "../config/compiled-auth.ts";
import { utf8 } from "../protocol/envelope.ts";
import { bytesOf } from "./json.ts";
import type { PublicKey } from "./keys.ts";

/**
 * Signatures of tokens, as https://www.rfc-editor.org/rfc/rfc7518#section-3 and https://www.rfc-editor.org/rfc/rfc8037#section-3.1 have them, by
 * the platform's own verifier. What of a token is compared with what, `token.ts` and `keys.ts` say; a library that reads the token
 * again would double what a verification costs.
 */

/** A key as the platform has it, for one algorithm. */
export type VerifyingKey = CryptoKey;

interface Parameters {
  readonly name: string;
  readonly hash?: string;
  readonly saltLength?: number;
  readonly namedCurve?: string;
}

const parameters: Readonly<Record<Algorithm, Parameters>> = {
  RS256: { name: "RSASSA-PKCS1-v1_5", hash: "SHA-256" },
  RS384: { name: "RSASSA-PKCS1-v1_5", hash: "SHA-384" },
  RS512: { name: "RSASSA-PKCS1-v1_5", hash: "SHA-512" },
  PS256: { name: "RSA-PSS", hash: "SHA-256", saltLength: 32 },
  PS384: { name: "RSA-PSS", hash: "SHA-384", saltLength: 48 },
  PS512: { name: "RSA-PSS", hash: "SHA-512", saltLength: 64 },
  ES256: { name: "ECDSA", hash: "SHA-256", namedCurve: "P-256" },
  ES384: { name: "ECDSA", hash: "SHA-384", namedCurve: "P-384" },
  ES512: { name: "ECDSA", hash: "SHA-512", namedCurve: "P-521" },
  EdDSA: { name: "Ed25519" },
};

/** Rejects where the key is none that the platform knows. */
export function verifyingKey({ jwk }: PublicKey, alg: Algorithm): Promise<VerifyingKey> {
  return crypto.subtle.importKey("jwk", { ...jwk }, parameters[alg], false, ["verify"]);
}

/** Whether the last part of a token, which was read before, is the key's signature of the parts before it. */
export function isSigned(token: string, key: VerifyingKey, alg: Algorithm): Promise<boolean> {
  const dot = token.lastIndexOf(".");
  return crypto.subtle.verify(parameters[alg], key, bytesOf(token.slice(dot + 1)), utf8(token.slice(0, dot)));
}
