import { calculateJwkThumbprint, exportJWK, generateKeyPair, type JWK } from "jose";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";

/** A private signature key with `kid` and `alg`; its kid is its thumbprint (https://www.rfc-editor.org/rfc/rfc7638). */
export interface SigningKey extends JWK {
  readonly kid: string;
  readonly alg: string;
}

/** Makes a key for a JWS algorithm. */
export async function newKey(alg: string): Promise<SigningKey> {
  const { privateKey } = await generateKeyPair(alg, { extractable: true, ...(/^[RP]S/.test(alg) && { modulusLength: 2048 }) });
  const jwk = await exportJWK(privateKey);
  return { ...jwk, kid: await calculateJwkThumbprint(jwk), alg, use: "sig" };
}

/** What of a key everybody may know. */
export function publicKey({ kty, crv, x, y, n, e, kid, alg }: SigningKey): JWK {
  return JSON.parse(JSON.stringify({ kty, crv, x, y, n, e, kid, alg, use: "sig" })) as JWK;
}

/** Where the key for development is, beside a config; in a folder that tells git to leave it alone. */
export function devKeyFile(config: string): string {
  return join(dirname(config), ".fairlead", "dev-key.json");
}

/** The key that signs tokens for development: of a config's folder, made when it is first wanted. */
export async function devKey(config: string): Promise<SigningKey> {
  const file = devKeyFile(config);
  if (existsSync(file)) return JSON.parse(readFileSync(file, "utf8")) as SigningKey;
  const key = await newKey("ES256");
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(join(dirname(file), ".gitignore"), "*\n");
  writeFileSync(file, `${JSON.stringify(key, null, 2)}\n`, { mode: 0o600, flag: "wx" });
  console.error(`${file}: made; whoever has it can sign in as anybody where its public half is trusted`);
  return key;
}
