import type { Require } from "../../gen/fairlead/config/v1/auth_pb.js";
import type { Config } from "../../gen/fairlead/config/v1/config_pb.js";
import type { CacheHints } from "../../gen/fairlead/policy/v1/policy_pb.js";
import type { CompiledMethod } from "../../worker/core/config/compiled.ts";
import { schemaSource } from "../../worker/core/config/compiled-auth.ts";
import { isMetadata } from "../../worker/core/protocol/metadata.ts";
import { takenOut, unseen } from "./claimed-headers.ts";
import type { Checking } from "./checking.ts";
import { requirementsOf } from "./compile-auth.ts";
import { metadataNames, readCondition } from "./conditions.ts";
import { durationMs } from "./duration.ts";
import type { Path } from "./issue.ts";
import { methodTable } from "./methods.ts";
import { unknown } from "./names.ts";
import { elsewhere, heldBy } from "./policies.ts";
import { said } from "./said.ts";
import { mistakenMethods, policyNumber, saysWho, schemaPolicies } from "./schema-policies.ts";

/** What the rules require, and where it stands. */
export function requirementsIn({ auth }: Config): readonly { readonly require: Require; readonly path: Path }[] {
  return (auth?.rules ?? []).flatMap((rule, i) => requirementsOf(rule).map((require, j) => ({ require, path: ["auth", "rules", i, ...(rule.require === undefined ? ["any", j] : ["require"])] })));
}

/** Reports rules and schema policies that ask what nobody could show. */
export function checkRequirements(checking: Checking): void {
  const { config, tree, report } = checking;
  for (const { require, path } of requirementsIn(config)) {
    for (const { field, problem } of problemsOf(require, checking)) report.of(tree, [...path, ...field], problem);
    if (require.condition === "") continue;
    const condition = readCondition(require.condition);
    if ("problem" in condition) report.of(tree, [...path, "condition"], condition.problem);
    else for (const name of metadataNames(condition.expr)) checkSeen(name, [...path, "condition"], checking);
  }
  checkSchema(checking);
  checkUse(checking);
}

/** A condition on a header that is never there holds for nobody, and its negation for everybody. */
function checkSeen(name: string, path: Path, { config, tree, report }: Checking): void {
  const claim = takenOut(config).find(({ header }) => header === name);
  if (name !== name.toLowerCase()) report.of(tree, path, `must name headers in lower case, as metadata has them: current value names "${name}"`);
  else if (!isMetadata(name)) report.of(tree, path, `must name headers that callers may set: HTTP, the RPC protocols or the proxy own ${name}, and take it out first`);
  else if (claim !== undefined) report.of(tree, path, unseen(claim));
}

function checkUse({ config, registry, tree, report }: Checking): void {
  const providers = Object.keys(config.auth!.providers);
  const asked = [...config.auth!.rules.flatMap(requirementsOf), ...schemaPolicies(registry).map(({ policy }) => policy).filter((policy) => saysWho(policy) && !policy.public)];
  const isAsked = (name: string) => asked.some(({ provider }) => provider === name || (provider === "" && providers.length === 1));
  for (const name of providers) {
    if (!isAsked(name)) report.of(tree, ["auth", "providers", name], "nothing asks for this provider", { severity: "warning", key: true });
  }
}

interface Problem {
  /** Where, within what is required. */
  readonly field: Path;
  readonly problem: string;
}

function problemsOf({ provider, scopes, claims }: Pick<Require, "provider" | "scopes"> & { readonly claims: object }, { config }: Checking): Problem[] {
  const providers = Object.keys(config.auth!.providers).sort();
  const problems: Problem[] = [];
  if (provider !== "" && !providers.includes(provider)) problems.push({ field: ["provider"], problem: unknown("provider", provider, providers) });
  if (provider === "" && providers.length === 0) problems.push({ field: [], problem: "needs a provider that vouches for callers: auth.providers has none" });
  if (provider === "" && providers.length > 1) problems.push({ field: [], problem: `must name its provider, as there are several: ${providers.join(", ")}` });
  for (const [i, scope] of scopes.entries()) {
    if (scope === "" || /\s/.test(scope)) problems.push({ field: ["scopes", i], problem: `must be one scope, without blanks: current value is ${JSON.stringify(scope)}` });
  }
  for (const name of Object.keys(claims)) {
    if (!isClaim(name)) problems.push({ field: ["claims", name], problem: noClaim(name) });
  }
  return problems;
}

/** Whether a name leads to a claim: no step of it is empty. */
export function isClaim(name: string): boolean {
  return name !== "" && (/[:/]/.test(name) || name.split(".").every((step) => step !== ""));
}

export function noClaim(name: string): string {
  return `must be a claim's name, with dots between names inside one another: current value is ${JSON.stringify(name)}`;
}

/** What a rule of the config stands before asks nothing of anybody. */
function checkSchema(checking: Checking): void {
  const { config, registry, tree, report } = checking;
  const mistaken = mistakenMethods(registry);
  if (mistaken !== undefined) report.of(tree, ["descriptors"], `${mistaken.methods.join(", ")} ${mistaken.methods.length === 1 ? "has" : "have"} the option ${policyNumber}, which must be fairlead.policy.v1.policy: ${mistaken.meant === undefined ? "nothing in the descriptors declares it" : `it is ${mistaken.meant}`}`, { key: true });
  const held = heldBy(said(checking));
  const methods = new Map(methodTable(config, registry).map((one) => [one.path, one]));
  for (const { method, policy } of schemaPolicies(registry)) {
    const say = (problem: string) => report.of(tree, ["descriptors"], `${method} has a policy that ${problem}`, { key: true });
    const timeout = policy.timeout && durationMs(policy.timeout);
    if (timeout !== undefined && (timeout <= 0 || timeout > 3_600_000)) say(`must have a timeout above 0s and of at most 1h: current value is ${timeout / 1000}s`);
    if (policy.maxAttempts > 5) say(`must have max_attempts of at most 5: current value is ${policy.maxAttempts}`);
    if (policy.cache !== undefined) checkCache(policy.cache, methods.get(method)!, say);
    if (held(method, elsewhere).policy?.source !== schemaSource) continue;
    if (policy.public && saysWho({ ...policy, public: false })) say("must be either public or ask something of callers");
    else if (!policy.public && saysWho(policy)) for (const { field, problem } of problemsOf(policy, checking)) say(field.length === 0 ? problem : `has ${field[0]}: ${problem}`);
    for (const [name, { values }] of Object.entries(policy.claims)) if (values.length === 0) say(`must give values to the claim ${name}`);
  }
}

function checkCache({ maxAge, staleWhileRevalidate, vary }: CacheHints, { idempotency }: CompiledMethod, say: (problem: string) => void): void {
  if (idempotency !== "no-side-effects") say("may have cache only beside idempotency_level = NO_SIDE_EFFECTS: nothing else can be called with GET");
  const [maxAgeMs, staleMs] = [maxAge, staleWhileRevalidate].map((one) => (one === undefined ? 0 : durationMs(one))) as [number, number];
  if (maxAgeMs <= 0 || maxAgeMs > mostAgeMs || maxAgeMs % 1000 !== 0) say(`must have a cache.max_age of whole seconds, from 1s to a year: current value is ${maxAgeMs / 1000}s`);
  if (staleMs < 0 || staleMs > mostAgeMs || staleMs % 1000 !== 0) say(`must have a cache.stale_while_revalidate of whole seconds, of at most a year: current value is ${staleMs / 1000}s`);
  for (const name of vary) if (!/^[a-z0-9-]+$/.test(name)) say(`must name headers in lower case in cache.vary: current value is ${JSON.stringify(name)}`);
}

const mostAgeMs = 365 * 24 * 3_600_000;
