import type { CompiledPolicy, CompiledPolicyMatch } from "../../worker/core/config/compiled-auth.ts";
import { checkHidden } from "./check-hidden.ts";
import { checkNarrowed } from "./check-narrowed.ts";
import type { Checking } from "./checking.ts";
import { compileMatch, isPossiblePrefix, isSameMatch, ruleMatch, shadows } from "./matches.ts";
import { methodTable } from "./methods.ts";
import { heldBy, takes } from "./policies.ts";
import { said } from "./said.ts";
import { didYouMean } from "./suggest.ts";
import { positionAt } from "./tree.ts";

/** Reports rules that are never looked at, methods that nobody may call, and protection that a broad rule takes away. */
export function checkPolicies(checking: Checking): void {
  checkReach(checking);
  if (!checking.complete) return;
  const methods = methodTable(checking.config, checking.registry).map(({ path }) => path);
  if (methods.length > 0) checkKnown(methods, checking);
  checkHidden(methods, checking);
  checkNarrowed(methods, checking);
  checkRefused(methods, checking);
}

function checkReach({ config, tree, report }: Checking): void {
  const matches = config.auth!.rules.map(({ match }) => ({ ...ruleMatch(match), metadata: [] }));
  for (const [i, match] of matches.entries()) {
    const path = ["auth", "rules", i, "match"];
    if (match.path === "") continue;
    if (!isPossible(match)) {
      report.of(tree, [...path, "prefix"], `must begin a /package.Service/Method, else nothing matches: current value is ${JSON.stringify(match.path)}`);
      continue;
    }
    const same = matches.findIndex((other, j) => j < i && isSameMatch(other, match));
    const before = same === -1 ? matches.findIndex((other, j) => j !== i && other.path !== "" && shadows(other, match, j < i)) : same;
    if (before === -1) continue;
    const { line } = positionAt(tree, ["auth", "rules", before, "match"]);
    report.of(tree, path, `${same === -1 ? "is never looked at: all it matches is for" : "must differ from that of"} rules[${before}] (line ${line})`);
  }
}

/** Whether any method can have this match. */
function isPossible({ kind, path }: Pick<CompiledPolicyMatch, "kind" | "path">): boolean {
  return kind !== "prefix" || isPossiblePrefix(path);
}

function checkKnown(methods: readonly string[], { config, tree, report }: Checking): void {
  const services = [...new Set(methods.map((path) => path.split("/")[1] ?? ""))];
  for (const [i, { match }] of config.auth!.rules.entries()) {
    const { kind, path } = ruleMatch(match);
    if (path === "" || !isPossible({ kind, path }) || methods.some((method) => takes({ kind, path }, method))) continue;
    const meant = kind === "method" ? didYouMean(path, methods) : kind === "service" ? didYouMean(path.slice(1, -1), services) : "";
    report.of(tree, ["auth", "rules", i, "match", kind], `no known method is matched${meant}`, { severity: "warning" });
  }
}

/** Methods that lead somewhere, but that nobody may call. */
function checkRefused(methods: readonly string[], checking: Checking): void {
  const { config, tree, report } = checking;
  const policies = said(checking);
  const held = heldBy(policies);
  for (const [i, { match }] of config.routes.entries()) {
    const route = compileMatch(match);
    if (route.path === "") continue;
    const known = methods.filter((method) => takes(route, method));
    const refused = known.length > 0 ? known.filter((method) => held(method, route).policy === undefined) : policies.some((one) => overlaps(one.match, route)) ? [] : ["whatever it matches"];
    if (refused.length === 0) continue;
    const by = policies.some((one) => isNarrow(one) && refused.some((method) => takes(one.match, method))) ? " by names that no rule has" : "";
    report.of(tree, ["routes", i, "match"], `${refused.join(", ")} ${refused.length === 1 ? "is" : "are"} refused${by}: nothing in auth or the schema says who may call`, { severity: "warning" });
  }
}

function isNarrow({ match: { host, basePath } }: CompiledPolicy): boolean {
  return host !== null || basePath !== null;
}

/** Whether any call could have both matches. */
function overlaps(a: CompiledPolicyMatch, b: CompiledPolicyMatch): boolean {
  if ([[a.host, b.host], [a.basePath, b.basePath]].some(([one, other]) => one !== null && other !== null && one !== other)) return false;
  const [short, long] = a.path.length < b.path.length ? [a, b] : [b, a];
  return takes(short, long.path);
}
