import { Allow } from "../../gen/fairlead/config/v1/auth_pb.js";
import { type CompiledPolicy, schemaSource } from "../../worker/core/config/compiled-auth.ts";
import type { Checking } from "./checking.ts";
import { ruleMatch } from "./compile-auth.ts";
import { saysWho, schemaPolicies } from "./schema-policies.ts";

/** Which methods policies are for, and which of them let everybody call; what the others ask may be wrong still. */
export interface Said {
  readonly policies: readonly CompiledPolicy[];
  readonly open: ReadonlySet<CompiledPolicy | undefined>;
}

export function said({ config, registry }: Pick<Checking, "config" | "registry">): Said {
  const rules = config.auth!.rules.map(({ match, allow }, i) => ({ match: ruleMatch(match), source: `auth.rules[${i}]`, everybody: allow === Allow.PUBLIC }));
  const schema = schemaPolicies(registry).filter(({ policy }) => saysWho(policy)).map(({ method, policy }) => ({ match: { kind: "method" as const, path: method }, source: schemaSource, everybody: policy.public }));
  const all = [...rules, ...schema].map(({ everybody, ...found }) => ({ everybody, policy: { ...found, requirements: [], authorizer: null, rateLimits: [] } }));
  return { policies: all.map(({ policy }) => policy), open: new Set(all.filter(({ everybody }) => everybody).map(({ policy }) => policy)) };
}
