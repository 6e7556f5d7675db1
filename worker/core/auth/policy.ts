import { byMatch } from "../config/by-match.ts";
import type { CompiledPolicy } from "../config/compiled-auth.ts";
import { schemaSource } from "../config/compiled-auth.ts";

/** By what name a method is called; null stands for one that no policy names. */
export interface Called {
  readonly host: string | null;
  readonly basePath: string | null;
}

/** The policy of a method, by its path and by what name it is called; undefined where nobody has said who may call it. */
export type PolicyOf = (path: string, called: Called) => CompiledPolicy | undefined;

/** Whether one of them has a condition in CEL. */
export function haveConditions(policies: readonly CompiledPolicy[]): boolean {
  return policies.some(({ requirements }) => requirements.some(({ condition }) => condition !== null));
}

/**
 * The most specific match of the config holds, and only where there is none that of the schema. No look-up is remembered: callers
 * make methods up. A name that another policy holds for but for its case is nobody's: an origin may find methods whatever their case
 * is, and who may not call `Delete` may not call `delete` by a wider match.
 */
export function policyFinder(policies: readonly CompiledPolicy[]): PolicyOf {
  const exactly = finder(policies);
  const folded = finder(policies.map((policy) => ({ ...policy, match: { ...policy.match, path: policy.match.path.toLowerCase() } })));
  return (path, called) => {
    const policy = exactly(path, called);
    if (policy === undefined || policy.match.path === path) return policy;
    return folded(path.toLowerCase(), called)?.match.path === policy.match.path.toLowerCase() ? policy : undefined;
  };
}

function finder(policies: readonly CompiledPolicy[]): PolicyOf {
  const inConfig = byMatch(policies.filter(({ source }) => source !== schemaSource), byBasePath);
  const inSchema = byMatch(policies.filter(({ source }) => source === schemaSource), byBasePath);
  return (path, called) => inConfig(path, called) ?? inSchema(path, called);
}

/** What names the call's base path, then what names none; among equals the first. */
function byBasePath(policies: readonly CompiledPolicy[]): (called: Called) => CompiledPolicy | undefined {
  const basePaths = new Map(policies.toReversed().map((policy) => [policy.match.basePath, policy]));
  const anywhere = basePaths.get(null);
  if (basePaths.size === 1 && anywhere !== undefined) return () => anywhere;
  return ({ basePath }) => basePaths.get(basePath) ?? anywhere;
}
