import { check } from "../cli/config/check.ts";
import { formatIssues } from "../cli/config/issue.ts";
import { packagePath } from "../cli/serve/root.ts";
import { encodeArtifact } from "../worker/core/config/artifact.ts";
import type { CompiledCluster } from "../worker/core/config/compiled.ts";

/**
 * Compiles fairlead.yaml. An endpoint whose URL is a key of `moved` leads to the value instead: the demo's origins are
 * not always on the ports that the file names.
 * @throws Error, with every issue, if the file is bad; or if it does not lead to the demo's origins.
 */
export async function demoArtifact(moved: ReadonlyMap<string, string>): Promise<Uint8Array<ArrayBuffer>> {
  const { config, issues } = check(packagePath("fairlead.yaml"));
  if (config === undefined) throw new Error(formatIssues(issues));
  const urls = new Set(config.clusters.flatMap(({ localities }) => localities.flatMap(({ endpoints }) => endpoints.map(({ url }) => url))));
  for (const url of moved.keys()) {
    if (!urls.has(url)) throw new Error(`Cannot show the demo as fairlead.yaml must lead to ${url}: its endpoints are ${[...urls].join(", ")}`);
  }
  return encodeArtifact({ ...config, clusters: config.clusters.map((cluster) => moveEndpoints(cluster, moved)) });
}

function moveEndpoints(cluster: CompiledCluster, moved: ReadonlyMap<string, string>): CompiledCluster {
  const localities = cluster.localities.map((locality) => ({
    ...locality,
    endpoints: locality.endpoints.map((endpoint) => ({ ...endpoint, url: moved.get(endpoint.url) ?? endpoint.url })),
  }));
  return { ...cluster, localities };
}
