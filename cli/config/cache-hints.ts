import type { CacheHints } from "../../gen/fairlead/config/v1/config_pb.js";
import type { CompiledCacheHints } from "../../worker/core/config/compiled.ts";
import { durationMs } from "./duration.ts";

/** Undefined where nothing is to be told. The schema's message has the same fields. */
export function compileCacheHints(hints: Pick<CacheHints, "maxAge" | "staleWhileRevalidate" | "vary"> | undefined): CompiledCacheHints | undefined {
  const seconds = (duration: CacheHints["maxAge"]): number => (duration === undefined ? 0 : durationMs(duration) / 1000);
  const maxAgeSeconds = seconds(hints?.maxAge);
  return maxAgeSeconds === 0 ? undefined : { maxAgeSeconds, staleSeconds: seconds(hints?.staleWhileRevalidate), vary: hints!.vary };
}
