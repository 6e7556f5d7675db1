import { unwatchFile, watchFile } from "node:fs";
import { resolve } from "node:path";
import { decodeArtifact } from "../worker/core/config/artifact.ts";
import type { CompiledConfig } from "../worker/core/config/compiled.ts";
import { compileFile } from "./build.ts";
import type { CheckOptions } from "./config/check.ts";
import { formatIssues } from "./config/issue.ts";
import { type Runtime, serve } from "./serve/serve.ts";

export interface DevOptions extends CheckOptions {
  readonly config: string;
  /** 0 takes a free one. */
  readonly port: number;
  readonly runtime: Runtime;
  /** The module to run in the place of the project's own. */
  readonly worker?: string;
}

/** How often the files are looked at, in milliseconds. Looking at them, unlike watching, survives editors that replace files. */
const lookEvery = 150;

/**
 * Serves a config until SIGINT or SIGTERM. Prints `listening on URL` once calls are accepted; a bad config at the
 * start sets the exit code to 1. Later changes are taken if good and reported on stderr if not. Secrets that
 * the config names are environment variables.
 */
export async function dev({ config, port, runtime, worker, ...options }: DevOptions): Promise<void> {
  const first = await compileFile(config, options);
  if (first.issues.length > 0) console.error(formatIssues(first.issues));
  if (first.artifact === undefined) {
    process.exitCode = 1;
    return;
  }
  await tellOfMissingSecrets(first.artifact);
  const served = await serve({ artifact: first.artifact, runtime, port, ...(worker !== undefined && { worker: resolve(worker) }), secrets: secretsOf });
  let inputs = new Set<string>();
  let stopping = false;
  let reloading = Promise.resolve();
  let last = first.artifact;

  const changed = () => {
    reloading = reloading.then(reload).catch((error: unknown) => console.error(error instanceof Error ? error.message : error));
  };
  const watch = (files: readonly string[]) => {
    const wanted = new Set(files);
    for (const file of inputs) if (!wanted.has(file)) unwatchFile(file, changed);
    for (const file of wanted) if (!inputs.has(file)) watchFile(file, { interval: lookEvery }, changed);
    inputs = wanted;
  };
  const reload = async () => {
    if (stopping) return;
    const next = await compileFile(config, options);
    // A bad config may not get as far as its descriptors: those of the last good one stay watched.
    watch(next.artifact === undefined ? [...inputs, ...next.inputs] : next.inputs);
    if (next.issues.length > 0) console.error(formatIssues(next.issues));
    if (next.artifact === undefined) return console.error(`${config}: not taken, the last good config goes on`);
    if (Buffer.compare(next.artifact, last) === 0) return;
    await tellOfMissingSecrets(next.artifact);
    await served.reload(next.artifact);
    last = next.artifact;
    console.error(`${config}: reloaded`);
  };
  const stop = async () => {
    if (stopping) return;
    stopping = true;
    watch([]);
    await served.stop();
    if (process.connected) process.disconnect();
  };
  process.on("SIGINT", () => void stop());
  process.on("SIGTERM", () => void stop());
  // The launcher (fairlead.js) is gone without a word: nobody is left who could stop this.
  process.on("disconnect", () => void stop());
  watch(first.inputs);
  console.log(`listening on ${served.url}`);
  const code = await served.exited;
  // A terminal interrupts the runtime too, and it may be the first to go.
  await new Promise((resolve) => setTimeout(resolve, 100));
  if (stopping) return;
  await stop();
  console.error(`Cannot go on serving as ${runtime} must stay up: it exited with code ${code}`);
  process.exitCode = 1;
}

/** The secrets that a config names, from the environment variables of these names. */
function secretsOf(config: CompiledConfig): Record<string, string> {
  return Object.fromEntries(secretNames(config).flatMap((name) => (process.env[name] === undefined ? [] : [[name, process.env[name]]])));
}

async function tellOfMissingSecrets(artifact: Uint8Array<ArrayBuffer>): Promise<void> {
  const { config } = await decodeArtifact(artifact);
  for (const name of secretNames(config)) if (process.env[name] === undefined) console.error(`warning: the config names the secret ${name}, and there is no environment variable of that name`);
}

function secretNames({ explain, auth }: CompiledConfig): string[] {
  return [explain?.secret, auth.identity.mint?.secret].filter((name) => typeof name === "string");
}
