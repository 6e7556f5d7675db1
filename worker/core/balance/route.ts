import type { ReadableFields } from "../protocol/fields.ts";
import { byMatch, mapValues } from "../config/by-match.ts";
import type { CompiledMetadataMatch, CompiledRoute } from "../config/compiled.ts";

/** What of a call a route is chosen by. */
export interface Routable {
  /** The URL's raw path, base path and all. */
  readonly path: string;
  /** In lower case, without port and without the dot that may end it. */
  readonly host: string;
  readonly metadata: ReadableFields;
}

export interface Routed {
  readonly route: CompiledRoute;
  /** The path without the route's base path: `/package.Service/Method`. */
  readonly methodPath: string;
}

export type Router = (call: Routable) => Routed | undefined;

/**
 * Compiles routes so that a look-up among thousands costs what it costs among ten: everything that a call and a route
 * have in common is a key. Precedence: method, service, longest prefix; among equals one that names the host, then
 * the most metadata, then the order given. What stands before the last two segments of a path is its base path.
 */
export function router(routes: readonly CompiledRoute[]): Router {
  const tables = mapValues(Map.groupBy(routes, ({ match }) => match.basePath), (same) => byMatch(same, among));
  return (call) => {
    const end = call.path.lastIndexOf("/", call.path.lastIndexOf("/") - 1);
    const find = tables.get(call.path.slice(0, Math.max(end, 0)));
    if (find === undefined) return undefined;
    const methodPath = call.path.slice(end);
    const route = isMethodPath(methodPath) ? find(methodPath, call) : undefined;
    return route && { route, methodPath };
  };
}

/** Exactly `/package.Service/Method`: compared byte for byte, never normalised. */
export function isMethodPath(path: string): boolean {
  return /^\/[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*\/[A-Za-z_]\w*$/.test(path);
}

interface Ranked {
  readonly route: CompiledRoute;
  /** 0 goes first. */
  readonly rank: number;
}

/** The most metadata goes first, then the order given. Routes that want a value of a header are found by it. */
function among(routes: readonly CompiledRoute[]): (call: Routable) => CompiledRoute | undefined {
  if (routes.every(({ match }) => match.metadata.length === 0)) return () => routes[0];
  const ranked = routes.toSorted((a, b) => b.match.metadata.length - a.match.metadata.length).map((route, rank): Ranked => ({ route, rank }));
  const exactOf = ({ route }: Ranked): CompiledMetadataMatch | undefined => route.match.metadata.find(({ exact }) => exact !== null);
  const others = ranked.filter((one) => exactOf(one) === undefined);
  const byName = Map.groupBy(ranked.filter((one) => exactOf(one) !== undefined), (one) => exactOf(one)!.name);
  const byValue = [...mapValues(byName, (same) => Map.groupBy(same, (one) => exactOf(one)!.exact!))];
  return (call) => {
    let best = others.find((one) => fits(one, call));
    for (const [name, values] of byValue) {
      const found = values.get(call.metadata.get(name) ?? "")?.find((one) => fits(one, call));
      if (found !== undefined && (best === undefined || found.rank < best.rank)) best = found;
    }
    return best?.route;
  };
}

function fits({ route }: Ranked, { metadata }: Routable): boolean {
  return route.match.metadata.every((one) => valueMatches(one, metadata.get(one.name)));
}

/** Whether a header's value, null where there is none, is as a match wants it. */
export function valueMatches(match: CompiledMetadataMatch, value: string | null): boolean {
  if (match.present !== null) return (value !== null) === match.present;
  if (value === null) return false;
  return match.exact !== null ? value === match.exact : value.startsWith(match.prefix ?? "");
}
