import type { ReadableFields } from "./fields.ts";

const sharedCaching = new Set(["surrogate-control", "edge-control", "x-accel-expires", "expires"]);

/** Headers of a reply that speak to caches which callers share, beside `cache-control` or over it. https://www.rfc-editor.org/rfc/rfc9213 */
export function sharedCachingIn(headers: ReadableFields): string[] {
  const names: string[] = [];
  headers.forEach((_value, name) => (sharedCaching.has(name) || name.endsWith("-cache-control")) && names.push(name));
  return names;
}
