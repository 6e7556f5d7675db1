import type { CompiledPolicy } from "../config/compiled-auth.ts";
import { schemaSource } from "../config/compiled-auth.ts";

/** The policy of a method, by its path; undefined where nobody has said who may call it. */
export type PolicyOf = (path: string) => CompiledPolicy | undefined;

/**
 * The most specific match of the config holds, and only where there is none that of the schema. No look-up is remembered: callers
 * make methods up.
 */
export function policyFinder(policies: readonly CompiledPolicy[]): PolicyOf {
  const inConfig = finder(policies.filter(({ source }) => source !== schemaSource));
  const inSchema = finder(policies.filter(({ source }) => source === schemaSource));
  return (path) => inConfig(path) ?? inSchema(path);
}

/** Exact method, then service, then the longest prefix; among equals the first. */
function finder(policies: readonly CompiledPolicy[]): PolicyOf {
  const whole = firstByPath(policies.filter(({ match }) => match.kind !== "prefix"));
  const prefixes = [...firstByPath(policies.filter(({ match }) => match.kind === "prefix")).values()].sort((a, b) => b.match.path.length - a.match.path.length);
  return (path) => {
    const service = path.slice(0, path.indexOf("/", 1) + 1);
    return whole.get(path) ?? whole.get(service) ?? prefixes.find(({ match }) => path.startsWith(match.path));
  };
}

function firstByPath(policies: readonly CompiledPolicy[]): Map<string, CompiledPolicy> {
  const first = new Map<string, CompiledPolicy>();
  for (const policy of policies) if (!first.has(policy.match.path)) first.set(policy.match.path, policy);
  return first;
}
