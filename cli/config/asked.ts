import { Allow, type Require, type Rule } from "../../gen/fairlead/config/v1/auth_pb.js";
import type { Policy } from "../../gen/fairlead/policy/v1/policy_pb.js";
import { requirementsOf } from "./compile-auth.ts";

/** What callers are asked for, of which one is enough; nothing where everybody may call. */
export type Asked = readonly (Pick<Require, "provider" | "scopes" | "condition"> & { readonly claims: Readonly<Record<string, { readonly values: readonly string[] }>> })[];

export function askedByRule(rule: Rule): Asked {
  return rule.allow === Allow.PUBLIC ? [] : requirementsOf(rule);
}

export function askedBySchema(policy: Policy): Asked {
  return policy.public ? [] : [{ ...policy, condition: "" }];
}

/** Whether nobody has what one asks who would not have what the other asks. `only` is the provider where there is one alone. */
export function asksAll(one: Asked, other: Asked, only: string): boolean {
  return other.length === 0 || (one.length > 0 && one.every((given) => other.some((wanted) => implies(given, wanted, only))));
}

function implies(given: Asked[number], wanted: Asked[number], only: string): boolean {
  return (
    (given.provider || only) === (wanted.provider || only) &&
    wanted.scopes.every((scope) => given.scopes.includes(scope)) &&
    Object.entries(wanted.claims).every(([name, { values }]) => given.claims[name]?.values.every((value) => values.includes(value)) === true) &&
    (wanted.condition === "" || given.condition === wanted.condition)
  );
}
