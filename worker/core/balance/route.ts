import type { CompiledMatch, CompiledMetadataMatch, CompiledRoute } from "../config/compiled.ts";

/** What of a call a route is chosen by. */
export interface Routable {
  /** The URL's raw path, base path and all. */
  readonly path: string;
  /** Without port. */
  readonly host: string;
  readonly metadata: Headers;
}

export interface Routed {
  readonly route: CompiledRoute;
  /** The path without the route's base path: `/package.Service/Method`. */
  readonly methodPath: string;
}

export type Router = (call: Routable) => Routed | undefined;

/**
 * Compiles routes so that a look-up costs what it costs among ten: a map for exact methods, one for services, and
 * prefixes from longest to shortest. Precedence: method, service, longest prefix; among equals one that names a host,
 * then metadata, then the order given. Base paths are told apart first: the longest that fits is looked up first.
 */
export function router(routes: readonly CompiledRoute[]): Router {
  const basePaths = [...new Set(routes.map((route) => route.match.basePath))].sort((a, b) => b.length - a.length);
  const tables = basePaths.map((basePath) => ({
    basePath,
    find: table(routes.filter((route) => route.match.basePath === basePath)),
  }));
  return (call) => {
    for (const { basePath, find } of tables) {
      if (!call.path.startsWith(basePath)) continue;
      const methodPath = call.path.slice(basePath.length);
      if (!isMethodPath(methodPath)) continue;
      const route = find(methodPath, call);
      if (route !== undefined) return { route, methodPath };
    }
    return undefined;
  };
}

/** Exactly `/package.Service/Method`: compared byte for byte, never normalised. */
export function isMethodPath(path: string): boolean {
  return /^\/[A-Za-z_][A-Za-z0-9_.]*\/[A-Za-z_][A-Za-z0-9_]*$/.test(path);
}

function table(routes: readonly CompiledRoute[]): (methodPath: string, call: Routable) => CompiledRoute | undefined {
  const exact = group(routes.filter((route) => route.match.kind !== "prefix"));
  const byPrefix = group(routes.filter((route) => route.match.kind === "prefix"));
  const prefixes = [...byPrefix.entries()].sort(([a], [b]) => b.length - a.length);
  return (methodPath, call) => {
    const service = methodPath.slice(0, methodPath.indexOf("/", 1) + 1);
    const found = first(exact.get(methodPath), call) ?? first(exact.get(service), call);
    if (found !== undefined) return found;
    for (const [prefix, candidates] of prefixes) {
      if (!methodPath.startsWith(prefix)) continue;
      const route = first(candidates, call);
      if (route !== undefined) return route;
    }
    return undefined;
  };
}

/** Routes by what they compare the path with, the most specific first. */
function group(routes: readonly CompiledRoute[]): Map<string, CompiledRoute[]> {
  const groups = new Map<string, CompiledRoute[]>();
  for (const route of routes) {
    const same = groups.get(route.match.path);
    if (same === undefined) groups.set(route.match.path, [route]);
    else same.push(route);
  }
  for (const same of groups.values()) same.sort((a, b) => specificity(b.match) - specificity(a.match));
  return groups;
}

function specificity(match: CompiledMatch): number {
  return (match.host === null ? 0 : 1000) + match.metadata.length;
}

function first(candidates: readonly CompiledRoute[] | undefined, call: Routable): CompiledRoute | undefined {
  return candidates?.find(
    ({ match }) =>
      (match.host === null || match.host === call.host) && match.metadata.every((m) => metadataMatches(m, call.metadata)),
  );
}

function metadataMatches(match: CompiledMetadataMatch, metadata: Headers): boolean {
  const value = metadata.get(match.name);
  if (match.present !== null) return (value !== null) === match.present;
  if (value === null) return false;
  return match.exact !== null ? value === match.exact : value.startsWith(match.prefix ?? "");
}
