import { check } from "../cli/config/check.ts";
import { formatIssues } from "../cli/config/issue.ts";
import { packagePath } from "../cli/serve/root.ts";
import type { CompiledConfig } from "../worker/core/config/compiled.ts";

/** Weights by name of cluster. */
export type Weights = Readonly<Record<string, number>>;

/**
 * Compiles fairlead.yaml for the environment `demo`.
 * @throws Error, with every issue, if the file is bad.
 */
export function demoConfig(): CompiledConfig {
  const { config, issues } = check(packagePath("fairlead.yaml"), { env: "demo" });
  if (config === undefined) throw new Error(formatIssues(issues));
  return config;
}

/** The same with endpoints that lead to `moved.get(url)`: the demo's origins are not always on the ports that the file names. */
export function moveEndpoints(config: CompiledConfig, moved: ReadonlyMap<string, string>): CompiledConfig {
  const clusters = config.clusters.map((cluster) => ({
    ...cluster,
    localities: cluster.localities.map((locality) => ({
      ...locality,
      endpoints: locality.endpoints.map((endpoint) => ({ ...endpoint, url: moved.get(endpoint.url) ?? endpoint.url })),
    })),
  }));
  return { ...config, clusters };
}

/** The same with other weights in every split. */
export function weigh({ routes, clusters, ...config }: CompiledConfig, weights: Weights): CompiledConfig {
  const weighed = routes.map((route) => ({
    ...route,
    split: route.split.length < 2 ? route.split : route.split.map((share) => ({ ...share, weight: weights[clusters[share.cluster]!.name] ?? share.weight })),
  }));
  return { ...config, clusters, routes: weighed };
}

/** The weights of the first split of a config. */
export function weightsOf({ routes, clusters }: CompiledConfig): Weights {
  const split = routes.find(({ split }) => split.length > 1)?.split ?? [];
  return Object.fromEntries(split.map(({ cluster, weight }) => [clusters[cluster]!.name, weight]));
}
