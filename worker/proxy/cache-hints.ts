import type { CompiledCacheHints, CompiledRoute } from "../core/config/compiled.ts";
import { sharedCachingIn } from "../core/protocol/caching.ts";
import { addVary } from "../core/protocol/vary.ts";
import type { Call, Reply } from "./call.ts";

/**
 * Tells caches how long a good reply to a Connect GET may be kept, where nobody has told them: not the origin, nor the route's own
 * headers, nor a layer. What everybody may call may be kept by caches that callers share; but not what was made with something that
 * may tell who called, nor where residency decides who is served where: caches do not know of that.
 */
export function cacheHints(routes: readonly CompiledRoute[]): (call: Call, reply: Pick<Reply, "status" | "headers">) => void {
  const routedBy = [...new Set(routes.flatMap(({ match }) => match.metadata.map(({ name }) => name)))];
  return (call, { status, headers }) => {
    if (call.form.dialect !== "connect-get" || status !== 200) return;
    const hints = hintsOf(call);
    if (hints === null || headers.has("cache-control") || headers.has("pragma") || sharedCachingIn(headers).length > 0) return;
    const { metadata, shown, caller, route } = call;
    const shows = Object.keys(shown);
    const isShared = caller.guarded !== true && shows.length === 0 && !telling.some((name) => metadata.has(name)) && !headers.has("set-cookie") && route.residency.length === 0;
    headers.set("cache-control", `${isShared ? "public" : "private"}, ${lifetime(hints)}`);
    addVary(headers, [...new Set(["accept-encoding", ...telling, ...hints.vary, ...routedBy, ...splitBy(route), ...shows])]);
  };
}

/** What may tell an origin who calls, whether the proxy reads it or not. */
const telling = ["authorization", "cookie"];

function hintsOf({ route, method }: Pick<Call, "route" | "method">): CompiledCacheHints | null {
  return (route.open.includes("cache") ? method?.cache : route.cache) ?? null;
}

function lifetime({ maxAgeSeconds, staleSeconds }: CompiledCacheHints): string {
  return `max-age=${maxAgeSeconds}${staleSeconds === 0 ? "" : `, stale-while-revalidate=${staleSeconds}`}`;
}

/** The header that decides which of several clusters answers. */
function splitBy({ split, sticky }: CompiledRoute): readonly string[] {
  if (sticky === null || sticky.by === "address" || split.length === 1) return [];
  return [sticky.by === "cookie" ? "cookie" : sticky.name];
}
