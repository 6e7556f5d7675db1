import { Allow, type Require, type Rule } from "../../gen/fairlead/config/v1/auth_pb.js";
import type { Policy } from "../../gen/fairlead/policy/v1/policy_pb.js";
import type { Checking } from "./checking.ts";
import { requirementsOf } from "./compile-auth.ts";
import { heldBy } from "./policies.ts";
import { said } from "./said.ts";
import { schemaPolicies } from "./schema-policies.ts";

/** Reports rules that take away what the schema asks. One that names a method is meant for it; a broad one may stand before the schema by oversight. */
export function checkHidden(methods: readonly string[], checking: Checking): void {
  const { config, registry, tree, report } = checking;
  const policies = said(checking);
  const held = heldBy(policies);
  const schema = new Map(schemaPolicies(registry).map(({ method, policy }) => [method, policy]));
  const providers = Object.keys(config.auth!.providers);
  const only = providers.length === 1 ? providers[0]! : "";
  for (const [i, rule] of config.auth!.rules.entries()) {
    if (policies[i]!.match.kind === "method") continue;
    const opened = methods.filter((method) => {
      const { policy, hidden } = held(method);
      return policy === policies[i] && hidden !== undefined && !asksAll(rule, schema.get(method)!, only);
    });
    if (opened.length === 0) continue;
    const [field, words] = rule.allow === Allow.PUBLIC ? ["allow", "lets everybody call what the schema protects"] : [rule.require === undefined ? "any" : "require", "stands before the schema, and does not ask all that it asks"];
    report.of(tree, ["auth", "rules", i, field!], `${words}: ${opened.join(", ")}`, { severity: "warning" });
  }
}

/** Whether nobody meets a rule who would not meet the schema's policy. `only` is the provider where there is one alone. */
function asksAll(rule: Rule, policy: Policy, only: string): boolean {
  return policy.public || (rule.allow !== Allow.PUBLIC && requirementsOf(rule).every((require) => implies(require, policy, only)));
}

function implies(require: Require, policy: Policy, only: string): boolean {
  return (
    (require.provider || only) === (policy.provider || only) &&
    policy.scopes.every((scope) => require.scopes.includes(scope)) &&
    Object.entries(policy.claims).every(([name, { values }]) => require.claims[name]?.values.every((value) => values.includes(value)) === true)
  );
}
