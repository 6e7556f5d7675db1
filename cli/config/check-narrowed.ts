import type { Rule } from "../../gen/fairlead/config/v1/auth_pb.js";
import type { Route } from "../../gen/fairlead/config/v1/config_pb.js";
import type { CompiledMatch } from "../../worker/core/config/compiled.ts";
import { type CompiledPolicy, type CompiledPolicyMatch, schemaSource } from "../../worker/core/config/compiled-auth.ts";
import { type Asked, askedByRule, askedBySchema, asksAll } from "./asked.ts";
import type { Checking } from "./checking.ts";
import { sharesOf } from "./compile.ts";
import { compileMatch } from "./matches.ts";
import { heldBy, takes } from "./policies.ts";
import { said } from "./said.ts";
import { schemaPolicies } from "./schema-policies.ts";
import { didYouMean } from "./suggest.ts";

interface Leads {
  readonly match: CompiledMatch;
  readonly clusters: readonly string[];
}

/** Reports rules that name a base path which no route has, and those that whoever calls by another name does not have to meet. */
export function checkNarrowed(methods: readonly string[], checking: Checking): void {
  const { config, tree, report } = checking;
  const routes = config.routes.map((route: Route): Leads => ({ match: compileMatch(route.match), clusters: sharesOf(route).map(({ cluster }) => cluster) }));
  const policies = said(checking);
  const held = heldBy(policies);
  const around = wayAround(checking, policies);
  const hosts = [null, ...new Set(policies.flatMap(({ match: { host } }) => host ?? []))];
  for (const [i, rule] of config.auth!.rules.entries()) {
    const { match } = policies[i]!;
    if (match.host === null && match.basePath === null) continue;
    const basePaths = [...new Set(routes.map(({ match: { basePath } }) => basePath))];
    if (match.basePath !== null && !basePaths.includes(match.basePath)) {
      report.of(tree, ["auth", "rules", i, "match", "base_path"], `no route has this base path, so that no call is for the rule${didYouMean(match.basePath, basePaths.filter((one) => one !== ""))}`, { severity: "warning" });
      continue;
    }
    const own = methods.filter((method) => held(method, match).policy === policies[i]);
    const weaker = own.flatMap((method) => {
      const taking = routes.filter((route) => takes(route.match, method));
      const meant = taking.filter((route) => meets(route.match, match)).flatMap(({ clusters }) => clusters);
      const others = taking.filter(({ clusters }) => clusters.some((cluster) => meant.includes(cluster))).flatMap(({ match: route }) => (route.host === null ? hosts : [route.host]).map((host) => held(method, { ...route, host }).policy));
      return others.filter((policy) => policy !== undefined && around(rule, policy, method)).map((policy) => ({ method, source: policy!.source }));
    });
    for (const [source, of] of Map.groupBy(weaker, (one) => one.source)) {
      const names = [...new Set(of.map(({ method }) => method))].join(", ");
      report.of(tree, ["auth", "rules", i, "match"], `is no protection by itself: who calls ${names} by another host or base path gets to the same origins by ${source}, which does not ask all that this asks`, { severity: "warning" });
    }
  }
}

/** Whether some call could be for both. */
function meets(route: CompiledMatch, { host, basePath }: CompiledPolicyMatch): boolean {
  return (host === null || route.host === null || host === route.host) && (basePath === null || basePath === route.basePath);
}

/** Tells whether a policy is met by somebody who does not meet a rule. */
function wayAround({ config, registry }: Checking, policies: readonly CompiledPolicy[]): (rule: Rule, policy: CompiledPolicy, method: string) => boolean {
  const { rules, providers } = config.auth!;
  const names = Object.keys(providers);
  const only = names.length === 1 ? names[0]! : "";
  const schema = new Map(schemaPolicies(registry).map(({ method, policy }) => [method, askedBySchema(policy)]));
  return (rule, policy, method) => {
    const other = policy.source === schemaSource ? undefined : rules[policies.indexOf(policy)]!;
    const asked: Asked = other === undefined ? schema.get(method)! : askedByRule(other);
    return !asksAll(asked, askedByRule(rule), only) || (rule.authorizer !== "" && rule.authorizer !== other?.authorizer);
  };
}
