import type { MethodMatch } from "../../gen/fairlead/config/v1/auth_pb.js";
import type { Match, MetadataMatch } from "../../gen/fairlead/config/v1/config_pb.js";
import type { CompiledMatch, CompiledMetadataMatch } from "../../worker/core/config/compiled.ts";
import { valueMatches } from "../../worker/core/balance/route.ts";
import type { CompiledPolicyMatch } from "../../worker/core/config/compiled-auth.ts";

/** A route's match as data: the service "a.B" becomes the path "/a.B/". */
export function compileMatch(match: Match | undefined): CompiledMatch {
  return { ...pathMatch(match), basePath: match?.basePath ?? "", metadata: (match?.metadata ?? []).map(compileMetadataMatch) };
}

/** A rule's match as data. */
export function ruleMatch(match: MethodMatch | undefined): CompiledPolicyMatch {
  return { ...pathMatch(match), basePath: match?.basePath ?? null };
}

function pathMatch(match: Match | MethodMatch | undefined): Pick<CompiledMatch, "kind" | "path" | "host"> {
  const { method = "", service = "", prefix = "", host = "" } = match ?? {};
  const [kind, path] = method !== "" ? (["method", method] as const) : service !== "" ? (["service", `/${service}/`] as const) : (["prefix", prefix] as const);
  return { kind, path, host: host === "" ? null : host };
}

/** What a route or a rule asks of the calls that it is for. */
export interface Conditions extends CompiledPolicyMatch {
  readonly metadata: readonly CompiledMetadataMatch[];
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
export function isSameMatch(a: Conditions, b: Conditions): boolean {
  return a.kind === b.kind && a.path === b.path && covers(a, b) && covers(b, a);
}

/**
 * Whether no call can ever reach `later`, as `earlier` is looked up before it and takes all that it would.
 * Follows the order of look-ups: exact method, service, longest prefix; among equals host, base path, metadata, then the
 * file's order (`isBefore`). Base paths never overlap, since what follows one is exactly two segments.
 */
export function shadows(earlier: Conditions, later: Conditions, isBefore: boolean): boolean {
  if (!covers(earlier, later)) return false;
  if (earlier.kind === "service" && later.kind === "prefix") return later.path.startsWith(earlier.path);
  if (earlier.kind !== later.kind || earlier.path !== later.path) return false;
  const order = specificity(earlier) - specificity(later);
  return order > 0 || (order === 0 && isBefore);
}

/** The name of a header that a match wants to be what it cannot be, as two of its conditions contradict each other; undefined where none is. */
export function contradicted({ metadata }: Pick<Conditions, "metadata">): string | undefined {
  const byName = Map.groupBy(metadata, ({ name }) => name);
  const isPossible = (conditions: readonly CompiledMetadataMatch[]): boolean =>
    [null, "", ...conditions.map(({ exact, prefix }) => exact ?? prefix)].some((value) => conditions.every((one) => valueMatches(one, value)));
  return [...byName].find(([, conditions]) => !isPossible(conditions))?.[0];
}

/** Whether a prefix is the beginning of any `/package.Service/Method` at all. */
export function isPossiblePrefix(prefix: string): boolean {
  return /^\/([A-Za-z_][A-Za-z0-9_.]*(\/([A-Za-z_][A-Za-z0-9_]*)?)?)?$/.test(prefix);
}

/** Whether a call that meets `inner`'s conditions beside the path meets all of `outer`'s. */
function covers(outer: Conditions, inner: Conditions): boolean {
  return (
    (outer.basePath === null || outer.basePath === inner.basePath) &&
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

function specificity({ host, basePath, metadata }: Conditions): number {
  return (host === null ? 0 : 2000) + (basePath === null ? 0 : 1000) + metadata.length;
}
