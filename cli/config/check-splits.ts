import type { Route } from "../../gen/fairlead/config/v1/config_pb.js";
import type { Checking } from "./checking.ts";
import { sharesOf } from "./compile.ts";
import type { Path } from "./issue.ts";
import { checkCountries } from "./check-places.ts";
import { didYouMean } from "./suggest.ts";

/** Reports routes that lead to clusters that are not there, or share calls in a way that cannot work. */
export function checkSplits(checking: Checking): void {
  for (const [i, route] of checking.config.routes.entries()) {
    checkShares(route, ["routes", i], checking);
    for (const [j] of route.residency.entries()) checkResidency(route, j, ["routes", i, "residency", j], checking);
  }
}

function checkShares(route: Route, path: Path, { config, tree, report }: Checking): void {
  const clusters = Object.keys(config.clusters);
  const shares = sharesOf(route);
  for (const [i, { cluster }] of shares.entries()) {
    const at = route.split.length === 0 ? [...path, "cluster"] : [...path, "split", i, "cluster"];
    const first = shares.findIndex((share) => share.cluster === cluster);
    if (cluster === "") continue;
    if (!clusters.includes(cluster)) {
      const known = didYouMean(cluster, clusters) || `: must be one of ${clusters.join(", ") || "clusters, which is empty"}`;
      report.of(tree, at, `unknown cluster "${cluster}"${known}`);
    } else if (first < i) {
      report.of(tree, at, `must be named once in a split: split[${first}] names "${cluster}" too`);
    }
  }
  if (route.sticky !== undefined && !route.sticky.endpoint && shares.length === 1) {
    report.of(tree, [...path, "sticky"], "holds on to nothing: there is one cluster, and endpoint is not true", { severity: "warning", key: true });
  }
  if (shares.every(({ weight }) => weight === 0)) report.of(tree, [...path, "split"], "must have a cluster whose weight is above 0: all are 0, so no call could go anywhere");
}

/** A region of weight 0 is resting, and may be back soon. A region that one of the clusters lacks is no mistake; a cluster that has none of them would refuse these callers. */
function checkResidency(route: Route, index: number, path: Path, { config, tree, report }: Checking): void {
  const { regions, countries, continents, unplaced } = route.residency[index]!;
  checkCountries(countries, [...path, "countries"], { tree, report });
  const known = sharesOf(route).flatMap(({ cluster }) => (config.clusters[cluster] === undefined ? [] : [{ name: cluster, regions: config.clusters[cluster].localities.map(({ region }) => region) }]));
  const all = [...new Set(known.flatMap((cluster) => cluster.regions))];
  for (const [i, region] of regions.entries()) {
    if (known.length > 0 && !all.includes(region)) report.of(tree, [...path, "regions", i], `unknown region "${region}"${didYouMean(region, all) || `: must be one of ${all.join(", ")}`}`);
  }
  for (const cluster of known) {
    if (!regions.some((region) => all.includes(region)) || cluster.regions.some((region) => regions.includes(region))) continue;
    report.of(tree, [...path, "regions"], `must have a region of every cluster of the route: "${cluster.name}" has ${cluster.regions.join(", ")}, so these callers would be refused`);
  }
  const earlier = route.residency.slice(0, index);
  const twice = [
    ...countries.filter((country) => earlier.some((rule) => rule.countries.includes(country))),
    ...continents.filter((continent) => earlier.some((rule) => rule.continents.includes(continent))),
    ...(unplaced && earlier.some((rule) => rule.unplaced) ? ["unplaced callers"] : []),
  ];
  if (twice.length > 0) report.of(tree, path, `must not say again what an earlier rule says: of ${twice.join(", ")}`);
}
