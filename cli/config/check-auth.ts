import { checkAuthorizers } from "./check-authorizers.ts";
import { checkIdentity } from "./check-identity.ts";
import { checkPolicies } from "./check-policies.ts";
import { checkProviders } from "./check-providers.ts";
import { checkRequirements } from "./check-requirements.ts";
import type { Checking } from "./checking.ts";

/** Reports what is wrong, or not said, about who may call what. */
export function checkAuth(checking: Checking): void {
  const { config, tree, report } = checking;
  if (config.auth === undefined) {
    report.of(tree, ["auth"], "must say who may call what: `auth: {rules: [{match: {prefix: /}, allow: PUBLIC}]}` lets everybody call everything");
    return;
  }
  checkProviders(checking);
  checkRequirements(checking);
  checkPolicies(checking);
  checkIdentity(checking);
  checkAuthorizers(checking);
}
