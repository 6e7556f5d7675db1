import type { CryptoKey } from "jose";
import type * as Jose from "./jose.ts";
import type { PublicKey } from "../core/auth/keys.ts";
import type { Algorithm } from "../core/config/compiled-auth.ts";

/** A key as the platform has it, for one algorithm. */
export type VerifyingKey = CryptoKey;

/** Loaded by the first token: a Worker that sees none starts without it. */
let jose: typeof Jose | undefined;

/** Rejects where the key is none that the platform knows. */
export async function verifyingKey({ jwk }: PublicKey, alg: Algorithm): Promise<VerifyingKey> {
  jose ??= await import("./jose.ts");
  return (await jose.importJWK(jwk, alg)) as VerifyingKey;
}

/** Whether the key has signed a token in compact form (https://www.rfc-editor.org/rfc/rfc7515#section-5.2). Rejects where that cannot be found out. */
export async function isSigned(token: string, key: VerifyingKey, alg: Algorithm): Promise<boolean> {
  jose ??= await import("./jose.ts");
  try {
    await jose.compactVerify(token, key, { algorithms: [alg] });
    return true;
  } catch (error) {
    if (error instanceof jose.errors.JWSSignatureVerificationFailed) return false;
    throw error;
  }
}
