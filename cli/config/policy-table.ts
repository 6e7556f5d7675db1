import type { CompiledConfig } from "../../worker/core/config/compiled.ts";
import { type CompiledAuth, type CompiledPolicy, type CompiledRateLimit, type CompiledRequirement, schemaSource } from "../../worker/core/config/compiled-auth.ts";
import { table } from "../table.ts";
import { heldBy } from "./policies.ts";

/** A table of every known method, who may call it, and where that was said; whoever meets one of several lines may call. */
export function policyTable({ methods, auth }: CompiledConfig): string {
  const held = heldBy(auth.policies);
  const rows = methods.flatMap(({ path }) => {
    const { policy, hidden } = held(path);
    if (policy === undefined) return [[path, "nobody", "nowhere"]];
    const said = `${policy.source}${hidden === undefined ? "" : `, before ${schemaSource}`}`;
    return whoMay(policy, auth).map((line, i) => (i === 0 ? [path, line, said] : ["", line, ""]));
  });
  return table(["method", "who may call", "said in"], rows);
}

/** Who may call one method, in a sentence; undefined where nobody may. */
export function policySays({ auth }: CompiledConfig, method: string): string | undefined {
  const { policy } = heldBy(auth.policies)(method);
  if (policy === undefined) return undefined;
  return `by ${policy.source} ${whoMay(policy, auth).map((line) => line.trim()).join(", ")} may call it`;
}

function whoMay({ requirements, authorizer, rateLimits }: CompiledPolicy, auth: CompiledAuth): string[] {
  const who = requirements.length === 0 ? ["everybody"] : requirements.map((requirement, i) => `${i === 0 ? "" : "or "}${shown(requirement, auth)}`);
  const further = [...(authorizer === null ? [] : [`as ${auth.authorizers[authorizer]!.name} says`]), ...rateLimits.map((index) => bound(auth.rateLimits[index]!))];
  return further.length === 0 ? who : [...who, `  ${further.join(", ")}`];
}

function bound({ name, calls, periodMs, per }: CompiledRateLimit): string {
  return `${name}: ${calls} in ${periodMs / 1000}s for each ${per}`;
}

/** "main: scope users.read, claim tenant = acme, if claims.level >= 3" */
function shown({ provider, scopes, claims, condition }: CompiledRequirement, auth: CompiledAuth): string {
  const asks = [
    ...(scopes.length === 0 ? [] : [`${scopes.length === 1 ? "scope" : "scopes"} ${scopes.join(" ")}`]),
    ...claims.map(({ path, values }) => `claim ${path.join(".")} = ${values.join(" or ")}`),
    ...(condition === null ? [] : [`if ${condition.text.replaceAll(/\s+/g, " ").trim()}`]),
  ];
  return [auth.providers[provider]!.name, asks.join(", ")].filter((part) => part !== "").join(": ");
}
