import { Dialect } from "../../gen/fairlead/config/v1/config_pb.js";
import { isMetadata } from "../../worker/core/protocol/metadata.ts";
import type { Checking } from "./checking.ts";
import { unknown } from "./names.ts";

/** Reports authorizers that cannot be asked, and authorizers and rate limits that nothing names or that nothing has. */
export function checkAuthorizers({ config, tree, report }: Checking): void {
  const { authorizers, rateLimits, rules } = config.auth!;
  const clusters = Object.keys(config.clusters);
  for (const [name, { cluster, metadata }] of Object.entries(authorizers)) {
    const path = ["auth", "authorizers", name];
    const serves = config.clusters[cluster];
    if (cluster !== "" && serves === undefined) report.of(tree, [...path, "cluster"], unknown("cluster", cluster, clusters));
    if (serves?.dialect === Dialect.GRPC_WEB) report.of(tree, [...path, "cluster"], `must be a cluster that speaks Connect: "${cluster}" speaks GRPC_WEB`);
    for (const [i, header] of metadata.entries()) {
      if (!isMetadata(header)) report.of(tree, [...path, "metadata", i], `must be a header that callers may set: HTTP, the RPC protocols or the proxy own ${header}, and take it out first`);
    }
    if (!rules.some((rule) => rule.authorizer === name)) report.of(tree, path, "no rule names this authorizer", { severity: "warning", key: true });
  }
  for (const name of Object.keys(rateLimits)) {
    if (!rules.some((rule) => rule.rateLimits.includes(name))) report.of(tree, ["auth", "rate_limits", name], "no rule names this rate limit", { severity: "warning", key: true });
  }
  for (const [i, rule] of rules.entries()) {
    if (rule.authorizer !== "" && authorizers[rule.authorizer] === undefined) report.of(tree, ["auth", "rules", i, "authorizer"], unknown("authorizer", rule.authorizer, Object.keys(authorizers)));
    for (const [j, name] of rule.rateLimits.entries()) {
      if (rateLimits[name] === undefined) report.of(tree, ["auth", "rules", i, "rate_limits", j], unknown("rate limit", name, Object.keys(rateLimits)));
    }
  }
}
