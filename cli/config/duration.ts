const unitMs: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 };

/**
 * Reads "15s", "1.5s", "500ms", "2m" or "1h" to milliseconds.
 * Undefined where it is no such text, or no whole number of milliseconds.
 */
export function durationFromText(text: string): number | undefined {
  const [, amount, unit] = /^(-?\d{1,12}(?:\.\d{1,9})?)(ms|s|m|h)$/.exec(text) ?? [];
  if (amount === undefined || unit === undefined) return undefined;
  // 1.1 * 1000 is 1100.0000000000001: to a nanosecond and no further, as protobuf counts.
  const ms = Math.round(Number(amount) * (unitMs[unit] ?? 0) * 1e6) / 1e6;
  return Number.isSafeInteger(ms) ? ms : undefined;
}

/** Milliseconds as ProtoJSON has a google.protobuf.Duration: "1.5s". */
export function durationToProtoJson(ms: number): string {
  return `${ms / 1000}s`;
}

/** A google.protobuf.Duration in milliseconds. */
export function durationMs(duration: { readonly seconds: bigint; readonly nanos: number }): number {
  return Number(duration.seconds) * 1000 + Math.round(duration.nanos / 1e6);
}
