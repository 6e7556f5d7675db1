import type { CompiledCluster } from "../worker/core/config/compiled.ts";
import { decodeOverrides, encodeOverrides } from "../worker/core/health/codec.ts";
import type { Overrides } from "../worker/core/health/overrides.ts";
import { overridesKey } from "../worker/health/documents.ts";
import type { Store } from "../worker/proxy/ports.ts";
import { check } from "./config/check.ts";
import { formatIssues } from "./config/issue.ts";
import { nearest } from "./config/suggest.ts";
import type { Place } from "./store/place.ts";

/** What operators decided, without when it was written. */
export type Decided = Pick<Overrides, "drains" | "weights">;
export const nothingDecided: Decided = { drains: [], weights: [] };

/**
 * Whether the config has a target; tells of its issues where it cannot be read.
 * @throws Error, with the nearest one, if it has none of that name.
 */
export function isTarget(verb: string, what: string, target: string, targetsOf: (cluster: CompiledCluster) => readonly string[], { config: file, env, wrangler }: Place): boolean {
  const { config, issues } = check(file, { env, wrangler });
  if (config === undefined) {
    console.error(formatIssues(issues));
    process.exitCode = 1;
    return false;
  }
  const targets = new Set(config.clusters.flatMap(targetsOf));
  if (targets.has(target)) return true;
  const meant = nearest(target, targets);
  throw new Error(`Cannot ${verb} "${target}" as it must be ${what} of ${file}${meant === undefined ? "" : `: did you mean "${meant}"?`}`);
}

/** @throws Error if the document is there and cannot be read. */
export async function decidedIn(store: Store): Promise<Decided> {
  const read = decodeOverrides(await store.get(overridesKey));
  if ("value" in read) return read.value;
  if (read.none === "missing") return nothingDecided;
  throw new Error(`Cannot change what is drained or weighed as the document "${overridesKey}" must be readable: it is ${read.none}. "fairlead undrain --all" writes it anew`);
}

export function put(store: Store, { drains, weights }: Decided): Promise<void> {
  return store.put(overridesKey, encodeOverrides({ writtenAt: Date.now(), drains, weights }));
}
