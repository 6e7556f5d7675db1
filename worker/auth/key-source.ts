import { ownMember } from "../core/auth/claims.ts";
import { strictJson } from "../core/auth/json.ts";
import { type KeySet, readKeySet } from "../core/auth/keys.ts";
import type { CompiledJwtProvider } from "../core/config/compiled-auth.ts";
import { utf8 } from "../core/protocol/envelope.ts";
import type { Ports } from "../proxy/ports.ts";
import { getJson, isLoopbackUrl } from "./get-json.ts";

/** A key set as it was fetched at some time. */
export interface FetchedKeys {
  readonly set: KeySet;
  /** When it was asked for, in milliseconds since the epoch. */
  readonly at: number;
}

export type Fetching = FetchedKeys | { readonly failure: string };

type Remote = Exclude<CompiledJwtProvider["keys"], { from: "inline" }>;

/** Fetches a provider's keys, from where its discovery document says where that is wanted: https://openid.net/specs/openid-connect-discovery-1_0.html */
export async function fetchKeys(ports: Pick<Ports, "fetch" | "after" | "now">, issuer: string, keys: Remote): Promise<Fetching> {
  const at = ports.now();
  const uri = keys.from === "uri" ? keys.uri : await discover(ports, issuer);
  if (typeof uri !== "string") return uri;
  const got = await getJson(ports, uri);
  if ("failure" in got) return got;
  const set = readKeySet(got.value);
  if (set === undefined) return { failure: "it is no JSON Web Key Set of at most 100 keys" };
  // Keys that are all unusable are an accident of the provider's; to have none is its word.
  return set.length === 0 && !isEmpty(got.value) ? { failure: "it has no public signature key" } : { set, at };
}

function isEmpty(document: unknown): boolean {
  const keys = ownMember(document, "keys");
  return Array.isArray(keys) && keys.length === 0;
}

async function discover(ports: Pick<Ports, "fetch" | "after">, issuer: string): Promise<string | { readonly failure: string }> {
  const got = await getJson(ports, `${issuer.replace(/\/$/, "")}/.well-known/openid-configuration`);
  if ("failure" in got) return { failure: `its discovery document: ${got.failure}` };
  if (ownMember(got.value, "issuer") !== issuer) return { failure: "its discovery document is another issuer's" };
  const uri = ownMember(got.value, "jwks_uri");
  if (typeof uri !== "string" || (isLoopbackUrl(uri) && !isLoopbackUrl(issuer))) return { failure: "its discovery document names no usable jwks_uri" };
  return uri;
}

/** Where the store has a provider's keys. */
export function keysKey(provider: string): string {
  return `keys/${provider}`;
}

/** Keys as a document: bound to where they came from, so that another config does not take them for its own. */
export function encodeKeys({ issuer, keys }: Pick<CompiledJwtProvider, "issuer" | "keys">, { set, at }: FetchedKeys): Uint8Array<ArrayBuffer> {
  const jwks = { keys: set.map(({ kid, alg, jwk }) => ({ ...jwk, ...(kid !== undefined && { kid }), ...(alg !== undefined && { alg }) })) };
  return utf8(JSON.stringify({ schemaVersion: 1, source: sourceOf(issuer, keys), at, jwks }));
}

/** Undefined where the bytes are no such document, or one of keys that came from elsewhere. */
export function decodeKeys({ issuer, keys }: Pick<CompiledJwtProvider, "issuer" | "keys">, bytes: Uint8Array): FetchedKeys | undefined {
  const document = strictJson(bytes);
  const at = ownMember(document, "at");
  const set = readKeySet(ownMember(document, "jwks"));
  if (ownMember(document, "schemaVersion") !== 1 || ownMember(document, "source") !== sourceOf(issuer, keys)) return undefined;
  return typeof at === "number" && set !== undefined ? { set, at } : undefined;
}

function sourceOf(issuer: string, keys: CompiledJwtProvider["keys"]): string {
  return JSON.stringify([issuer, keys.from === "uri" ? keys.uri : keys.from]);
}
