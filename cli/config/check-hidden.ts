import { Allow } from "../../gen/fairlead/config/v1/auth_pb.js";
import { askedByRule, askedBySchema, asksAll } from "./asked.ts";
import type { Checking } from "./checking.ts";
import { heldBy } from "./policies.ts";
import { said } from "./said.ts";
import { schemaPolicies } from "./schema-policies.ts";

/** Reports rules that take away what the schema asks. One that names a method is meant for it; a broad one may stand before the schema by oversight. */
export function checkHidden(methods: readonly string[], checking: Checking): void {
  const { config, registry, tree, report } = checking;
  const policies = said(checking);
  const held = heldBy(policies);
  const schema = new Map(schemaPolicies(registry).map(({ method, policy }) => [method, askedBySchema(policy)]));
  const providers = Object.keys(config.auth!.providers);
  const only = providers.length === 1 ? providers[0]! : "";
  for (const [i, rule] of config.auth!.rules.entries()) {
    if (policies[i]!.match.kind === "method") continue;
    const opened = methods.filter((method) => {
      const { policy, hidden } = held(method, policies[i]!.match);
      return policy === policies[i] && hidden !== undefined && !asksAll(askedByRule(rule), schema.get(method)!, only);
    });
    if (opened.length === 0) continue;
    const [field, words] = rule.allow === Allow.PUBLIC ? ["allow", "lets everybody call what the schema protects"] : [rule.require === undefined ? "any" : "require", "stands before the schema, and does not ask all that it asks"];
    report.of(tree, ["auth", "rules", i, field!], `${words}: ${opened.join(", ")}`, { severity: "warning" });
  }
}
