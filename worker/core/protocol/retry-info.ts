import type { Detail } from "./end.ts";

/**
 * A google.rpc.RetryInfo {Duration retry_delay = 1}, Duration {int64 seconds = 1; int32 nanos = 2}, with the delay in milliseconds.
 * https://github.com/googleapis/googleapis/blob/master/google/rpc/error_details.proto
 */
export function retryInfo(ms: number): Detail {
  const whole = Math.max(0, Math.ceil(ms));
  const duration = [...field(0x08, Math.floor(whole / 1000)), ...field(0x10, (whole % 1000) * 1_000_000)];
  return { type: "google.rpc.RetryInfo", value: Uint8Array.of(0x0a, duration.length, ...duration) };
}

function field(tag: number, value: number): number[] {
  if (value === 0) return [];
  const bytes = [tag];
  let rest = value;
  for (; rest > 127; rest = Math.floor(rest / 128)) bytes.push((rest % 128) | 128);
  return [...bytes, rest];
}
