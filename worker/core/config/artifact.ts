import { utf8 } from "../protocol/envelope.ts";
import { type CompiledConfig, schemaVersion } from "./compiled.ts";

/**
 * The compiled config as bytes: one header line, then canonical JSON.
 *
 *     fairlead-config 1 <sha-256 of what follows the line, in hex>\n
 *     {"clusters":[…],…}
 *
 * The same config gives the same bytes, so the digest names the config.
 */
const magic = "fairlead-config";

/** A compiled config that was read back, and the digest that names it (64 hex digits). */
export interface LoadedConfig {
  readonly config: CompiledConfig;
  readonly digest: string;
}

/** The artifact's bytes. */
export async function encodeArtifact(config: CompiledConfig): Promise<Uint8Array<ArrayBuffer>> {
  const body = utf8(canonicalJson(config));
  const head = utf8(`${magic} ${schemaVersion} ${await sha256(body)}\n`);
  const bytes = new Uint8Array(head.length + body.length);
  bytes.set(head);
  bytes.set(body, head.length);
  return bytes;
}

/**
 * Reads an artifact back.
 * @throws Error, saying what was expected, if the bytes are no artifact, of another schema version, truncated or changed.
 */
export async function decodeArtifact(bytes: Uint8Array<ArrayBuffer>): Promise<LoadedConfig> {
  const lineEnd = bytes.subarray(0, 128).indexOf(10);
  const [found, version, digest] = new TextDecoder().decode(bytes.subarray(0, Math.max(lineEnd, 0))).split(" ");
  if (found !== magic || version === undefined || digest === undefined) {
    throw new Error(`Cannot read the compiled config: it must begin with a "${magic}" line, as "fairlead build" writes it`);
  }
  if (version !== String(schemaVersion)) {
    throw new Error(
      `Cannot read the compiled config: its schema version must be ${schemaVersion}: current value is ${version}. Run "fairlead build" of this version`,
    );
  }
  const body = bytes.subarray(lineEnd + 1);
  const actual = await sha256(body);
  if (actual !== digest) {
    throw new Error(`Cannot read the compiled config: its digest must be ${digest}: current value is ${actual}. The file is truncated or was changed`);
  }
  return { config: JSON.parse(new TextDecoder().decode(body)) as CompiledConfig, digest };
}

/** JSON without blanks, the keys of every object in order. */
function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_key, v: unknown) =>
    v !== null && typeof v === "object" && !Array.isArray(v)
      ? Object.fromEntries(Object.entries(v).sort(([a], [b]) => (a < b ? -1 : 1)))
      : v,
  );
}

async function sha256(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  return Array.from(hash, (b) => b.toString(16).padStart(2, "0")).join("");
}
