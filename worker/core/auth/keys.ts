import type { Algorithm } from "../config/compiled-auth.ts";
import { isJsonObject, ownMember } from "./claims.ts";
import { base64urlDecode } from "./json.ts";

/** A public key for signatures, with nothing in it but what says which key it is: https://www.rfc-editor.org/rfc/rfc7517 */
export interface PublicKey {
  /** The key in one canonical text: two that are alike are the same key, for the same use. */
  readonly id: string;
  readonly kid: string | undefined;
  /** The one algorithm that the key may be used with, where it names one. */
  readonly alg: string | undefined;
  readonly jwk: { readonly kty: "RSA"; readonly n: string; readonly e: string } | { readonly kty: "EC"; readonly crv: string; readonly x: string; readonly y: string } | { readonly kty: "OKP"; readonly crv: string; readonly x: string };
}

export type KeySet = readonly PublicKey[];

const mostKeys = 100;
const leastRsaBits = 2048;
const mostRsaBits = 8192;

/** Bytes of a coordinate. */
const curves: Readonly<Record<string, number>> = { "P-256": 32, "P-384": 48, "P-521": 66 };

/**
 * The public signature keys of a JSON Web Key Set. Symmetric keys, private ones, ones for other uses, weak and malformed ones are
 * left out, and spoil nothing. Undefined where it is no key set: one of more than 100 keys is none, rather than part of one.
 */
export function readKeySet(document: unknown): KeySet | undefined {
  const keys = ownMember(document, "keys");
  if (!Array.isArray(keys) || keys.length > mostKeys) return undefined;
  const found = (keys as unknown[]).flatMap((key) => publicKey(key) ?? []);
  return found.filter(({ id }, i) => found.findIndex((other) => other.id === id) === i);
}

const privateMembers = ["d", "p", "q", "dp", "dq", "qi", "oth", "k", "priv"];

function publicKey(key: unknown): PublicKey | undefined {
  if (!isJsonObject(key) || privateMembers.some((name) => Object.hasOwn(key, name))) return undefined;
  const [kid, alg, use, operations] = ["kid", "alg", "use", "key_ops"].map((name) => ownMember(key, name));
  if ((kid !== undefined && typeof kid !== "string") || (alg !== undefined && typeof alg !== "string")) return undefined;
  if (use !== undefined && use !== "sig") return undefined;
  if (operations !== undefined && !(Array.isArray(operations) && operations.includes("verify"))) return undefined;
  const jwk = publicParts(key);
  return jwk && { id: JSON.stringify([kid, alg, jwk]), kid, alg, jwk };
}

function publicParts(key: Record<string, unknown>): PublicKey["jwk"] | undefined {
  const [crv, x, y, n, e] = ["crv", "x", "y", "n", "e"].map((name) => textMember(key, name)) as [string, string, string, string, string];
  switch (ownMember(key, "kty")) {
    case "RSA": return isStrongRsa(n, e) ? { kty: "RSA", n, e } : undefined;
    case "EC": return Object.hasOwn(curves, crv) && hasBytes(x, curves[crv]!) && hasBytes(y, curves[crv]!) ? { kty: "EC", crv, x, y } : undefined;
    case "OKP": return crv === "Ed25519" && hasBytes(x, 32) ? { kty: "OKP", crv, x } : undefined;
    default: return undefined;
  }
}

function textMember(key: Record<string, unknown>, name: string): string {
  const value = ownMember(key, name);
  return typeof value === "string" ? value : "";
}

function hasBytes(text: string, length: number): boolean {
  return base64urlDecode(text)?.length === length;
}

function isStrongRsa(n: string, e: string): boolean {
  const [modulus, exponent] = [base64urlDecode(n), base64urlDecode(e)];
  if (modulus === undefined || exponent === undefined) return false;
  const bits = bitsOf(modulus);
  const isOdd = (exponent.at(-1)! & 1) === 1;
  // With the exponent 1 whatever is signed is its own signature.
  return bits >= leastRsaBits && bits <= mostRsaBits && isOdd && bitsOf(exponent) >= 2 && bitsOf(exponent) <= 64;
}

function bitsOf(number: Uint8Array): number {
  const first = number.findIndex((byte) => byte !== 0);
  return first === -1 ? 0 : (number.length - first) * 8 - Math.clz32(number[first]!) + 24;
}

/** The key of a set that a token with this `alg` and `kid` must have been signed with. A token that names none fits where there is no choice. */
export function chooseKey(set: KeySet, alg: Algorithm, kid: string | undefined): PublicKey | "unknown-key" | "many-keys" {
  const fit = set.filter((key) => fits(key, alg) && (kid === undefined || key.kid === kid));
  // Of several the one that is meant for this algorithm goes before those that leave it open.
  const meant = fit.length > 1 ? fit.filter((key) => key.alg !== undefined) : fit;
  if (fit.length > 1 && meant.length !== 1) return "many-keys";
  return meant[0] ?? "unknown-key";
}

const ecCurves: Readonly<Partial<Record<Algorithm, string>>> = { ES256: "P-256", ES384: "P-384", ES512: "P-521" };

function fits({ alg: own, jwk }: PublicKey, alg: Algorithm): boolean {
  // https://www.rfc-editor.org/rfc/rfc9864#section-2.2: the same algorithm by its newer name.
  if (own !== undefined && own !== alg && !(own === "Ed25519" && alg === "EdDSA")) return false;
  switch (jwk.kty) {
    case "RSA": return alg.startsWith("RS") || alg.startsWith("PS");
    case "EC": return ecCurves[alg] === jwk.crv;
    case "OKP": return alg === "EdDSA";
  }
}
