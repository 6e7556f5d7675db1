import type { MethodMatch } from "../../gen/fairlead/config/v1/auth_pb.js";
import type { Match, MetadataMatch } from "../../gen/fairlead/config/v1/config_pb.js";
import type { CompiledMatch, CompiledMetadataMatch } from "../../worker/core/config/compiled.ts";

/** A match as data: the service "a.B" becomes the path "/a.B/". */
export function compileMatch(match: Match | MethodMatch | undefined): CompiledMatch {
  const { method = "", service = "", prefix = "", host = "", basePath = "", metadata = [] } = (match ?? {}) as Partial<Match>;
  const [kind, path] = method !== "" ? (["method", method] as const) : service !== "" ? (["service", `/${service}/`] as const) : (["prefix", prefix] as const);
  return { kind, path, host: host === "" ? null : host, basePath, metadata: metadata.map(compileMetadataMatch) };
}

function compileMetadataMatch({ name, value }: MetadataMatch): CompiledMetadataMatch {
  return {
    name,
    exact: value.case === "exact" ? value.value : null,
    prefix: value.case === "prefix" ? value.value : null,
    present: value.case === "present" ? value.value : null,
  };
}

/** Whether two matches take exactly the same calls by the same words. */
export function isSameMatch(a: CompiledMatch, b: CompiledMatch): boolean {
  return a.kind === b.kind && a.path === b.path && covers(a, b) && covers(b, a);
}

/**
 * Whether no call can ever reach `later`, as `earlier` is looked up before it and takes all that it would.
 * Follows the router's order: exact method, service, longest prefix; among equals host, metadata, then the
 * file's order (`isBefore`). Base paths never overlap, since what follows one is exactly two segments.
 */
export function shadows(earlier: CompiledMatch, later: CompiledMatch, isBefore: boolean): boolean {
  if (!covers(earlier, later)) return false;
  if (earlier.kind === "service" && later.kind === "prefix") return later.path.startsWith(earlier.path);
  if (earlier.kind !== later.kind || earlier.path !== later.path) return false;
  const order = specificity(earlier) - specificity(later);
  return order > 0 || (order === 0 && isBefore);
}

/** Whether a prefix is the beginning of any `/package.Service/Method` at all. */
export function isPossiblePrefix(prefix: string): boolean {
  return /^\/([A-Za-z_][A-Za-z0-9_.]*(\/([A-Za-z_][A-Za-z0-9_]*)?)?)?$/.test(prefix);
}

/** Whether a call that meets `inner`'s conditions beside the path meets all of `outer`'s. */
function covers(outer: CompiledMatch, inner: CompiledMatch): boolean {
  return (
    outer.basePath === inner.basePath &&
    (outer.host === null || outer.host === inner.host) &&
    outer.metadata.every((condition) => inner.metadata.some((given) => implies(given, condition)))
  );
}

function implies(given: CompiledMetadataMatch, condition: CompiledMetadataMatch): boolean {
  if (given.name !== condition.name) return false;
  if (condition.present === false) return given.present === false;
  if (condition.present === true) return given.present !== false;
  if (condition.exact !== null) return given.exact === condition.exact;
  return (given.exact ?? given.prefix)?.startsWith(condition.prefix ?? "") ?? false;
}

function specificity(match: CompiledMatch): number {
  return (match.host === null ? 0 : 1000) + match.metadata.length;
}
