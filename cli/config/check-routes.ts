import type { Route } from "../../gen/fairlead/config/v1/config_pb.js";
import type { CompiledMatch } from "../../worker/core/config/compiled.ts";
import { compileMatch, contradicted, isPossiblePrefix, isSameMatch, shadows } from "./matches.ts";
import { methodTable } from "./methods.ts";
import type { Checking } from "./checking.ts";
import { takes } from "./policies.ts";
import { didYouMean, nearest } from "./suggest.ts";
import { positionAt } from "./tree.ts";

/** Reports routes that lead nowhere, are given twice, cannot be reached, or name methods that nobody knows. */
export function checkRoutes(checking: Checking): void {
  const { config, tree, report } = checking;
  if (config.routes.length === 0) report.of(tree, ["routes"], "no route: every call will be refused", { severity: "warning", key: true });
  checkReach(checking);
  if (checking.complete) checkKnown(checking);
}

function checkReach({ config, tree, report }: Checking): void {
  const isWhole = ({ path }: CompiledMatch) => path !== "";
  // A match that names none or several of method, service and prefix is reported by its rule: it has no path here.
  const matches = config.routes.map(({ match }) => compileMatch(namesOne(match) ? match : undefined));
  for (const [i, match] of matches.entries()) {
    const path = ["routes", i, "match"];
    if (!isWhole(match)) continue;
    if (match.kind === "prefix" && !isPossiblePrefix(match.path)) {
      report.of(tree, [...path, "prefix"], `must begin a /package.Service/Method, else nothing matches: current value is ${JSON.stringify(match.path)}`);
      continue;
    }
    const impossible = contradicted(match);
    if (impossible !== undefined) report.of(tree, [...path, "metadata"], `nothing matches: what it wants of ${JSON.stringify(impossible)} contradicts itself`, { key: true });
    const same = matches.findIndex((other, j) => j < i && isSameMatch(other, match));
    const before = same === -1 ? matches.findIndex((other, j) => j !== i && isWhole(other) && shadows(other, match, j < i)) : same;
    if (before === -1) continue;
    const line = positionAt(tree, ["routes", before, "match"]).line;
    report.of(tree, path, `${same === -1 ? "cannot be reached: all it matches goes to" : "must differ from that of"} routes[${before}] (line ${line})`);
  }
}

function namesOne(match: Route["match"]): boolean {
  return [match?.method, match?.service, match?.prefix].filter(Boolean).length === 1;
}

function checkKnown({ config, tree, registry, report }: Checking): void {
  const table = methodTable(config, registry);
  const methods = table.map(({ path }) => path);
  const services = [...new Set(methods.map((path) => path.split("/")[1] ?? ""))];
  for (const [i, { match, cache }] of config.routes.entries()) {
    const { method = "", service = "" } = (match ?? {}) as Partial<NonNullable<Route["match"]>>;
    const warn = (field: string, message: string) => report.of(tree, ["routes", i, "match", field], message, { severity: "warning" });
    if (method !== "" && !methods.includes(method)) {
      warn("method", `no descriptor or declaration knows ${method}, so it can only pass${didYouMean(method, methods)}`);
    }
    if (service !== "" && !services.includes(service) && nearest(service, services) !== undefined) {
      warn("service", `no descriptor or declaration knows ${service}${didYouMean(service, services)}`);
    }
    const taken = table.filter(({ path }) => takes(compileMatch(match), path));
    if (cache !== undefined && taken.length > 0 && taken.every(({ idempotency }) => idempotency !== "no-side-effects")) {
      report.of(tree, ["routes", i, "cache"], "is for Connect GET, which no method of the route can be called with: none is NO_SIDE_EFFECTS", { severity: "warning", key: true });
    }
  }
}
