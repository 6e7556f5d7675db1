import { explain, type Explanation, routeRule } from "../worker/core/balance/explain.ts";
import { pickCluster, pickEndpoint, type Random } from "../worker/core/balance/pick.ts";
import type { RawPlace } from "../worker/core/balance/place.ts";
import { observe } from "../worker/core/balance/observation.ts";
import { isMethodPath, router } from "../worker/core/balance/route.ts";
import { snapshot } from "../worker/core/balance/snapshot.ts";
import type { CompiledConfig } from "../worker/core/config/compiled.ts";
import { nearestRegion } from "../worker/core/health/regions.ts";
import { regionsOf } from "../worker/core/health/targets.ts";
import { surveyor } from "../worker/core/protocol/metadata.ts";
import { asker } from "../worker/proxy/ask.ts";
import { policySays } from "./config/policy-table.ts";
import { table } from "./table.ts";

/** A call to be explained, as somebody would describe it. */
export interface ImaginedCall {
  /** With its base path, if it has one: "/api/package.Service/Method". */
  readonly path: string;
  readonly host: string;
  readonly headers: Headers;
  /** Where the platform says that the caller is; null where it does not say. */
  readonly place: RawPlace | null;
  readonly address: string | null;
}

/**
 * Why a call would go where it would go, from the code that the proxy runs; undefined where no route matches, and it
 * would be refused. What is drawn is drawn with `random`.
 */
export function explainImagined(config: CompiledConfig, call: ImaginedCall, random: Random): Explanation | undefined {
  const { path, host, headers, place, address } = call;
  const { metadata } = surveyor()(headers);
  const name = host.toLowerCase().replace(/\.?(?::\d+)?$/, "");
  const routed = router(config.routes)({ path, host: name, metadata });
  if (routed === undefined) return undefined;
  const { route } = routed;
  const first = routeRule(route.match);
  const may = policySays(config, routed.methodPath, { host: name, basePath: route.match.basePath });
  if (may === undefined) return { rules: [first, { rule: "policy", says: "nothing says who may call it" }], localities: [], picked: null };
  const ask = asker(config)({ route, metadata, request: { headers }, facts: { place: () => place, clientAddress: () => address } });
  const regions = regionsOf(config.clusters.map(({ healthCheck }) => healthCheck));
  const here = place === null || ask.place.at === undefined ? null : nearestRegion(ask.place.at, regions);
  const now = snapshot(config.clusters, undefined, { observations: config.clusters.map(observe), now: 0, here });
  const cluster = pickCluster(now, ask, random);
  const picked = pickEndpoint(now, cluster, ask, random);
  const { rules, ...rest } = explain(now, ask, cluster, picked && { region: picked.region, endpoint: picked.endpoint.url });
  return { rules: [first, { rule: "policy", says: may }, ...rules], ...rest };
}

/** The explanation for people. */
export function formatExplanation({ rules, localities, picked }: Explanation): string {
  const widest = Math.max(...rules.map(({ rule }) => rule.length));
  const rows = localities.flatMap(({ cluster, region, km, out, endpoints }) =>
    endpoints.map(({ endpoint, share }) => [percent(share), cluster, region, km === undefined ? "" : String(km), endpoint, out ?? ""]),
  );
  return [
    ...rules.map(({ rule, says }) => `${rule.padEnd(widest)}  ${says}`),
    "",
    picked === null ? "This call would be refused." : `This call would go to ${picked.endpoint} (${picked.cluster}, ${picked.region}). Of all calls like it:`,
    "",
    table(["share", "cluster", "region", "km", "endpoint", "out by"], rows, [0, 3]),
  ].join("\n");
}

/** The method of a path, without its base path. */
function methodIn(path: string): string {
  return path.slice(Math.max(path.lastIndexOf("/", path.lastIndexOf("/") - 1), 0));
}

/** Why no route matches, as far as the path alone tells. */
export function unroutable(path: string): string {
  return isMethodPath(methodIn(path))
    ? `No route matches ${path}: the call would be refused as unimplemented.`
    : `Cannot explain this call as its path must be /package.Service/Method, perhaps behind a base path: current value is ${JSON.stringify(path)}`;
}

function percent(share: number): string {
  return share === 0 ? "0 %" : `${(share * 100).toFixed(share < 0.001 ? 4 : 1)} %`;
}
