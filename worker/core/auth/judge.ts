import type { CompiledCondition, CompiledRequirement } from "../config/compiled-auth.ts";
import { claimAt, isOneOf } from "./claims.ts";
import type { Principal } from "./principal.ts";

/** What a caller lacks of a requirement. */
export type Unmet =
  | { readonly lacks: "provider" }
  | { readonly lacks: "scope"; readonly scope: string }
  | { readonly lacks: "claim"; readonly path: readonly string[] }
  | { readonly lacks: "condition"; readonly text: string; readonly because: string };

/** Judges a condition: true, or why it does not hold. */
export type Holds = (condition: CompiledCondition, principal: Principal) => true | string;

/** The principal that meets one of the requirements, the first that is met, or what each of them lacks. */
export function judge(requirements: readonly CompiledRequirement[], principals: readonly Principal[], holds: Holds): { readonly principal: Principal } | { readonly unmet: readonly Unmet[] } {
  const unmet: Unmet[] = [];
  for (const requirement of requirements) {
    const principal = principals.find(({ provider }) => provider === requirement.provider);
    const lack = principal === undefined ? ({ lacks: "provider" } as const) : unmetBy(principal, requirement, holds);
    if (lack === undefined) return { principal: principal! };
    unmet.push(lack);
  }
  return { unmet };
}

function unmetBy(principal: Principal, { scopes, claims, condition }: CompiledRequirement, holds: Holds): Unmet | undefined {
  const scope = scopes.find((one) => !principal.scopes.includes(one));
  if (scope !== undefined) return { lacks: "scope", scope };
  const claim = claims.find(({ path, values }) => !isOneOf(claimAt(principal.claims, path), values));
  if (claim !== undefined) return { lacks: "claim", path: claim.path };
  if (condition === null) return undefined;
  const held = holds(condition, principal);
  return held === true ? undefined : { lacks: "condition", text: condition.text, because: held };
}
