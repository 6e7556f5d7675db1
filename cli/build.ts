import { mkdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { decodeArtifact, encodeArtifact } from "../worker/core/config/artifact.ts";
import { check, type CheckOptions } from "./config/check.ts";
import type { Issue } from "./config/issue.ts";

export interface Compiled {
  readonly issues: readonly Issue[];
  /** The compiled config's bytes; undefined if an issue is an error. */
  readonly artifact: Uint8Array<ArrayBuffer> | undefined;
  /** The files that the answer depends on. */
  readonly inputs: readonly string[];
}

export interface Built {
  readonly issues: readonly Issue[];
  /** Size in bytes and SHA-256 in hex; undefined if an issue is an error, and then nothing was written. */
  readonly built: { readonly size: number; readonly digest: string } | undefined;
}

/** Checks and compiles a config file in memory. */
export async function compileFile(file: string, options: CheckOptions = {}): Promise<Compiled> {
  const { config, issues, inputs } = check(file, options);
  return { issues, artifact: config && (await encodeArtifact(config)), inputs };
}

/** Checks and compiles a config file and writes the artifact to `out`, whole or not at all. */
export async function build(file: string, out: string, options: CheckOptions = {}): Promise<Built> {
  const { artifact, issues } = await compileFile(file, options);
  if (artifact === undefined) return { issues, built: undefined };
  const { digest } = await decodeArtifact(artifact);
  try {
    mkdirSync(dirname(out), { recursive: true });
    writeFileSync(`${out}.new`, artifact);
    renameSync(`${out}.new`, out);
  } catch (error) {
    rmSync(`${out}.new`, { force: true });
    throw new Error(`Cannot write ${out} as it must be a file that can be written: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
  }
  return { issues, built: { size: artifact.length, digest } };
}
