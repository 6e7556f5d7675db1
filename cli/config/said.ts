import { type CompiledPolicy, schemaSource } from "../../worker/core/config/compiled-auth.ts";
import type { Checking } from "./checking.ts";
import { ruleMatch } from "./matches.ts";
import { saysWho, schemaPolicies } from "./schema-policies.ts";

/** Which methods the rules are for, in their order, and which the schema's policies; what they ask may be wrong still, and is left out. */
export function said({ config, registry }: Pick<Checking, "config" | "registry">): CompiledPolicy[] {
  const rules = config.auth!.rules.map(({ match }, i) => ({ match: ruleMatch(match), source: `auth.rules[${i}]` }));
  const schema = schemaPolicies(registry).filter(({ policy }) => saysWho(policy)).map(({ method }) => ({ match: { kind: "method" as const, path: method, host: null, basePath: null }, source: schemaSource }));
  return [...rules, ...schema].map((found) => ({ ...found, requirements: [], authorizer: null, rateLimits: [] }));
}
