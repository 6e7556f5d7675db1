import type { CryptoKey as JoseKey, JWK } from "jose";
import { type Claims, claimAt, isJsonObject, mintedClaims, ownMember, withClaim } from "../core/auth/claims.ts";
import { type PublicKey, readKeySet } from "../core/auth/keys.ts";
import type { Principal } from "../core/auth/principal.ts";
import { recent } from "../core/auth/recent.ts";
import { isAlgorithm } from "../core/auth/token.ts";
import type { Algorithm, CompiledIdentity } from "../core/config/compiled-auth.ts";
import { FailureError } from "../core/failure.ts";
import type { Ports } from "../proxy/ports.ts";

/** Tokens of the proxy's own. */
export interface Minting {
  /** A token that tells this cluster who calls. Throws a FailureError where none can be made. */
  token(principal: Principal, cluster: string): Promise<string>;
  /** The key set with which they are verified; undefined where there is no usable key. */
  jwks(): { readonly keys: readonly object[] } | undefined;
}

/** A private key, as the secret gives it. */
interface SigningKey {
  readonly alg: Algorithm;
  readonly kid: string;
  readonly jwk: JWK;
  readonly publicJwk: PublicKey["jwk"];
}

const mostTokens = { count: 4000, bytes: 4 * 1024 * 1024 };

export function minting({ issuer, secret, lifetimeMs, claims }: NonNullable<CompiledIdentity["mint"]>, ports: Pick<Ports, "secret" | "now" | "log">): Minting {
  const minted = recent<string>(mostTokens);
  let read: SigningKey | undefined;
  let imported: JoseKey | undefined;

  function signingKey(): SigningKey | undefined {
    read ??= readSigningKey(ports.secret(secret));
    if (read === undefined) ports.log({ level: "error", event: "mint-unusable", secret, why: "it must hold a private JSON Web Key with alg and kid" });
    return read;
  }

  return {
    async token(principal, cluster) {
      const now = ports.now();
      const name = `${cluster} ${principal.provider} ${principal.fingerprint}`;
      const known = minted.get(name, now);
      if (known !== undefined) return known;
      const key = signingKey();
      if (key === undefined) throw new FailureError(noToken);
      const jose = await import("./jose.ts");
      try {
        imported ??= (await jose.importJWK(key.jwk, key.alg)) as JoseKey;
        const issuedAt = Math.floor(now / 1000);
        // No longer than the principal's own word counts.
        const expiresAt = Math.floor(Math.min(now + lifetimeMs, Math.max(principal.until, now + 1000)) / 1000);
        const token = await new jose.SignJWT({ ...repeated(principal, claims), provider: principal.providerName })
          .setProtectedHeader({ alg: key.alg, kid: key.kid, typ: "JWT" })
          .setIssuer(issuer)
          .setAudience(cluster)
          .setSubject(principal.subject)
          .setIssuedAt(issuedAt)
          .setExpirationTime(expiresAt)
          .sign(imported);
        minted.set(name, token, now + (expiresAt * 1000 - now) / 2, token.length * 2 + 200);
        return token;
      } catch (error) {
        ports.log({ level: "error", event: "mint-failed", error: error instanceof Error ? error.name : "unknown" });
        throw new FailureError(noToken);
      }
    },
    jwks() {
      const key = signingKey();
      return key && { keys: [{ ...key.publicJwk, kid: key.kid, alg: key.alg, use: "sig" }] };
    },
  };
}

const noToken = { kind: "refused", code: "internal", message: "the call cannot be vouched for" } as const;

/** The claims of the caller's that a token repeats, as deep as they stand in the caller's own. */
function repeated({ claims }: Principal, paths: readonly (readonly string[])[]): Claims {
  const found = paths.filter(([first]) => !mintedClaims.includes(first!)).map((path) => [path, claimAt(claims, path)] as const);
  return found.filter(([, value]) => value !== undefined).reduce<Claims>((all, [path, value]) => withClaim(all, path, value), {});
}

/** Undefined where the text is no private signature key with `alg` and `kid`. */
function readSigningKey(text: string | undefined): SigningKey | undefined {
  try {
    const jwk: unknown = JSON.parse(text ?? "");
    const [alg, kid] = [ownMember(jwk, "alg"), ownMember(jwk, "kid")];
    if (!isJsonObject(jwk) || !isAlgorithm(alg) || typeof kid !== "string" || kid === "" || typeof ownMember(jwk, "d") !== "string") return undefined;
    const { kty, crv, n, e, x, y } = jwk;
    const publicJwk = readKeySet({ keys: [{ kty, crv, n, e, x, y, kid, alg }].map((key) => JSON.parse(JSON.stringify(key)) as object) })?.[0]?.jwk;
    return publicJwk && { alg, kid, jwk: jwk as JWK, publicJwk };
  } catch {
    return undefined;
  }
}
