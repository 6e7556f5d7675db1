import type { CompiledEndpoint } from "../config/compiled.ts";

type Named = Pick<CompiledEndpoint, "url" | "binding">;

/** What an endpoint is called in documents: `cluster/region/url`, and ` via BINDING` where it has one. Two that are called alike are one. */
export function endpointKey(cluster: string, region: string, { url, binding }: Named): string {
  return `${localityKey(cluster, region)}/${url}${binding === null ? "" : ` via ${binding}`}`;
}

/** What names an endpoint and all that it is a part of: its cluster, its locality, its URL whatever the binding, itself. */
export function keysAbove(cluster: string, region: string, endpoint: Named): readonly string[] {
  return [cluster, localityKey(cluster, region), endpointKey(cluster, region, { ...endpoint, binding: null }), endpointKey(cluster, region, endpoint)];
}

/** What names a locality: `cluster/region`. A region may be called anything, so what would be read as the next part is escaped. */
export function localityKey(cluster: string, region: string): string {
  return `${cluster}/${region.replaceAll(/[%/\s]/g, (character) => encodeURIComponent(character))}`;
}
