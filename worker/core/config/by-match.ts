import type { CompiledMatch } from "./compiled.ts";

/** What is for some methods, at one host or at all of them: a route, or a policy. */
interface Matched {
  readonly match: Pick<CompiledMatch, "kind" | "path" | "host">;
}

/** Chooses among what a call could have by its method. */
type Choose<C, T> = (call: C) => T | undefined;

/**
 * Compiles a look-up by a method's path among any number of matches, at the cost of a few keys. Precedence: method, service, longest
 * prefix; among equals what names the call's host, then what names none; what these are alike in `among` decides. A null host is one
 * that nothing names.
 */
export function byMatch<T extends Matched, C extends { readonly host: string | null }>(all: readonly T[], among: (alike: readonly T[]) => Choose<C, T>): (methodPath: string, call: C) => T | undefined {
  const byPath = (some: readonly T[]) => mapValues(Map.groupBy(some, ({ match }) => match.path), (same) => byHost(same, among));
  const whole = byPath(all.filter(({ match }) => match.kind !== "prefix"));
  const prefixed = byPath(all.filter(({ match }) => match.kind === "prefix"));
  const lengths = [...new Set([...prefixed.keys()].map((prefix) => prefix.length))].sort((a, b) => b - a);
  return (methodPath, call) => {
    const service = methodPath.slice(0, methodPath.indexOf("/", 1) + 1);
    const found = whole.get(methodPath)?.(call) ?? whole.get(service)?.(call);
    if (found !== undefined) return found;
    for (const length of lengths) {
      const one = length > methodPath.length ? undefined : prefixed.get(methodPath.slice(0, length))?.(call);
      if (one !== undefined) return one;
    }
    return undefined;
  };
}

function byHost<T extends Matched, C extends { readonly host: string | null }>(same: readonly T[], among: (alike: readonly T[]) => Choose<C, T>): Choose<C, T> {
  const hosts = mapValues(Map.groupBy(same, ({ match }) => match.host), among);
  const anywhere = hosts.get(null);
  hosts.delete(null);
  if (hosts.size === 0) return anywhere!;
  return (call) => hosts.get(call.host)?.(call) ?? anywhere?.(call);
}

export function mapValues<K, V, W>(map: ReadonlyMap<K, V>, to: (value: V) => W): Map<K, W> {
  return new Map([...map].map(([key, value]) => [key, to(value)]));
}
