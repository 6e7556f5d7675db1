import { isJsonObject, ownMember } from "./claims.ts";
import { strictJson } from "./json.ts";

export interface ApiKey {
  /** Whose it is. */
  readonly name: string;
  /** In hex, 64 digits in lower case. */
  readonly sha256: string;
  readonly scopes: readonly string[];
}

/** API keys that are good, by their SHA-256 in hex: looking one up tells by its time nothing of any key. */
export type ApiKeys = ReadonlyMap<string, ApiKey>;

/** Where the store has a provider's keys. */
export function storedKeysKey(provider: string): string {
  return `api-keys/${provider}`;
}

export function apiKeys(keys: readonly ApiKey[]): ApiKeys {
  return new Map(keys.map((key) => [key.sha256, key]));
}

/**
 * Reads the document of a provider's stored keys, `{"schemaVersion":1,"keys":[{"name","sha256","scopes","revoked"?}]}`; revoked ones are
 * left out. Undefined where it is no such document: one key that cannot be read may be one that was meant to be revoked.
 */
export function readStoredKeys(bytes: Uint8Array): ApiKeys | undefined {
  const document = strictJson(bytes);
  const keys = ownMember(document, "keys");
  if (ownMember(document, "schemaVersion") !== 1 || !Array.isArray(keys)) return undefined;
  const good = new Map<string, ApiKey>();
  const revoked = new Set<string>();
  for (const key of keys as unknown[]) {
    if (!isApiKey(key)) return undefined;
    if (ownMember(key, "revoked") === undefined || ownMember(key, "revoked") === false) good.set(key.sha256, key);
    else revoked.add(key.sha256);
  }
  for (const sha256 of revoked) good.delete(sha256);
  return good;
}

function isApiKey(key: unknown): key is Record<string, unknown> & ApiKey {
  if (!isJsonObject(key)) return false;
  const [name, sha256, scopes] = ["name", "sha256", "scopes"].map((member) => ownMember(key, member));
  return typeof name === "string" && name !== "" && typeof sha256 === "string" && /^[0-9a-f]{64}$/.test(sha256) && Array.isArray(scopes) && scopes.every((scope) => typeof scope === "string");
}

/** A key as it is shown: visible ASCII, without commas (two headers of one name are joined by one). */
export function isShownKey(text: string): boolean {
  return text.length <= 512 && /^[\x21-\x2b\x2d-\x7e]+$/.test(text);
}
