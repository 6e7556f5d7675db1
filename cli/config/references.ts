import type { Cluster } from "../../gen/fairlead/config/v1/config_pb.js";
import { checkAuth } from "./check-auth.ts";
import { checkHeaders } from "./check-headers.ts";
import { checkPlaces } from "./check-places.ts";
import { checkRoutes } from "./check-routes.ts";
import { checkSplits } from "./check-splits.ts";
import type { Checking } from "./checking.ts";
import { compileLimits, endpointUrl, sharesOf } from "./compile.ts";
import type { Path } from "./issue.ts";
import { declaredMethod, describedMethods } from "./methods.ts";

/** Reports what is right by itself and wrong together. */
export function checkReferences(checking: Checking): void {
  const { config } = checking;
  checkMethods(checking);
  for (const [name, cluster] of Object.entries(config.clusters)) checkCluster(cluster, ["clusters", name], checking);
  checkRoutes(checking);
  checkSplits(checking);
  checkHeaders(checking);
  checkAuth(checking);
  checkLimits(checking);
  checkStars(["cors", "allowed_origins"], config.cors?.allowedOrigins ?? [], checking);
  checkStars(["cors", "allowed_headers"], config.cors?.allowedHeaders ?? [], checking);
}

/** A message that is joined from pieces is held twice for a moment. */
function checkLimits({ config, tree, report }: Checking): void {
  const { requestMessageBytes, responseMessageBytes, heldBytes } = compileLimits(config.limits);
  const needed = 2 * Math.max(requestMessageBytes, responseMessageBytes);
  if (heldBytes < needed) report.of(tree, ["limits", "held_bytes"], `is below twice the largest message, ${needed}: such a message can be refused though nothing else is held`, { severity: "warning" });
}

function checkStars(path: Path, names: readonly string[], { tree, report }: Checking): void {
  if (names.length > 1 && names.includes("*")) report.of(tree, [...path, names.indexOf("*")], `"*" must stand alone: it allows all that others could`);
}

function checkMethods({ config, tree, registry, report }: Checking): void {
  const described = describedMethods(registry);
  const firsts = new Map<string, number>();
  for (const [i, method] of config.methods.entries()) {
    const first = firsts.get(method.path);
    if (method.path !== "" && first !== undefined) report.of(tree, ["methods", i, "path"], `must be declared once: methods[${first}] declares ${method.path} too`);
    firsts.set(method.path, first ?? i);
    const declared = declaredMethod(method);
    const known = described.get(method.path);
    if (known === undefined) continue;
    if (method.kind !== 0 && declared.kind !== known.kind) {
      report.of(tree, ["methods", i, "kind"], `must agree with the descriptor, which says ${known.kind}: current value is ${declared.kind}`);
    }
    if (known.idempotency !== "unknown" && declared.idempotency !== "unknown" && declared.idempotency !== known.idempotency) {
      report.of(tree, ["methods", i, "idempotency"], `must agree with the descriptor, which says ${known.idempotency}: current value is ${declared.idempotency}`);
    }
  }
}

function checkCluster(cluster: Cluster, path: Path, { config, tree, report }: Checking): void {
  const asked = Object.values(config.auth?.authorizers ?? {}).some(({ cluster: to }) => to === path.at(-1));
  if (!asked && !config.routes.some((route) => sharesOf(route).some(({ cluster: to }) => to === path.at(-1)))) {
    report.of(tree, path, "no route leads to this cluster", { severity: "warning", key: true });
  }
  const { localities } = cluster;
  checkPlaces(localities, [...path, "localities"], { tree, report });
  if (localities.length > 0 && localities.every(({ weight }) => weight === 0)) {
    report.of(tree, [...path, "localities"], "must have a locality whose weight is above 0: all are 0, so no call could go anywhere");
  }
  for (const [i, { endpoints }] of localities.entries()) {
    if (endpoints.length > 0 && endpoints.every(({ weight }) => weight === 0)) {
      report.of(tree, [...path, "localities", i, "endpoints"], "must have an endpoint whose weight is above 0: all are 0, give the locality weight 0 to rest it");
    }
    const names = endpoints.map(({ url, binding, authority }) => `${URL.canParse(url) ? endpointUrl(url) : url} ${binding} ${authority}`);
    for (const [j, { url, binding, authority }] of endpoints.entries()) {
      const first = names.indexOf(names[j]!);
      if (first < j) report.of(tree, [...path, "localities", i, "endpoints", j, "url"], `must be named once in a locality: endpoints[${first}] is the same. Give it more weight in the place of another entry`);
      if (authority !== "" && binding === "") {
        report.of(tree, [...path, "localities", i, "endpoints", j, "authority"], "is only sent through a binding: fetch sends the URL's own host", { severity: "warning" });
      }
      if (/^https?:\/\//.test(url) && !URL.canParse(url)) {
        report.of(tree, [...path, "localities", i, "endpoints", j, "url"], `must be a URL that can be parsed: current value is ${JSON.stringify(url)}`);
      }
    }
  }
}
