import { constants, createHmac, createPublicKey, generateKeyPairSync, type JsonWebKey, type KeyObject, sign as signBytes } from "node:crypto";

/** JSON Web Tokens as no library would write them: each part is what the test says, byte for byte. */

/** An identity provider's key pair. */
export interface Pair {
  readonly kid: string;
  readonly alg: string;
  readonly privateKey: KeyObject;
  readonly jwk: JsonWebKey & { readonly kid: string; readonly alg: string; readonly use: string };
  readonly privateJwk: JsonWebKey;
  readonly pem: string;
}

/** A part: JSON to be, or its text or bytes. */
export type Part = object | string | Uint8Array;

/** Signs the first two parts; gives the third in base64url. */
export type Sign = (input: string) => string;

export function pair(kid: string, alg = "RS256", bits = 2048): Pair {
  const { publicKey, privateKey } = alg === "EdDSA" ? generateKeyPairSync("ed25519") : alg.startsWith("ES") ? generateKeyPairSync("ec", { namedCurve: "P-256" }) : generateKeyPairSync("rsa", { modulusLength: bits });
  const jwk = { ...publicKey.export({ format: "jwk" }), kid, alg, use: "sig" };
  return { kid, alg, privateKey, jwk, privateJwk: { ...privateKey.export({ format: "jwk" }), kid, alg }, pem: createPublicKey(privateKey).export({ type: "spki", format: "pem" }) as string };
}

export function part(said: Part): string {
  return Buffer.from(said instanceof Uint8Array ? said : typeof said === "string" ? said : JSON.stringify(said)).toString("base64url");
}

export function forge(header: Part, claims: Part, sign: Sign): string {
  const input = `${part(header)}.${part(claims)}`;
  return `${input}.${sign(input)}`;
}

/** Signs as the algorithm says, with the pair's own one unless told. */
export function by({ privateKey, alg: own }: Pair, alg = own): Sign {
  const hash = alg === "EdDSA" ? null : `sha${alg.slice(2)}`;
  const padding = alg.startsWith("PS") ? { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: Number(alg.slice(2)) / 8 } : {};
  return (input) => signBytes(hash, Buffer.from(input), { key: privateKey, ...padding, ...(alg.startsWith("ES") && { dsaEncoding: "ieee-p1363" as const }) }).toString("base64url");
}

export function byHmac(secret: string | Uint8Array, hash = "sha256"): Sign {
  return (input) => createHmac(hash, secret).update(input).digest("base64url");
}

/** A signature that is this text. */
export function text(signature: string): Sign {
  return () => signature;
}

/** The other text of the same bytes: the bits that the last character has to spare are not 0. */
export function loose(encoded: string): string {
  const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  return encoded.slice(0, -1) + alphabet[alphabet.indexOf(encoded.at(-1)!) + 1]!;
}
