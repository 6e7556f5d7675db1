/** Unit letters of `grpc-timeout`: https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md */
const grpcUnitMs: Record<string, number> = { H: 3_600_000, M: 60_000, S: 1000, m: 1, u: 1e-3, n: 1e-6 };

/** Reads `grpc-timeout` (at most 8 digits and a unit) as milliseconds, or undefined where malformed. */
export function grpcTimeoutToMs(text: string): number | undefined {
  const match = /^(\d{1,8})([HMSmun])$/.exec(text);
  return match ? Number(match[1]) * grpcUnitMs[match[2] as string]! : undefined;
}

/** Reads `connect-timeout-ms` (at most 10 digits) as milliseconds, or undefined where malformed. */
export function connectTimeoutToMs(text: string): number | undefined {
  return /^\d{1,10}$/.test(text) ? Number(text) : undefined;
}

/** Writes milliseconds as `grpc-timeout`, in the finest unit whose value has 8 digits. */
export function grpcTimeoutFromMs(ms: number): string {
  const whole = Math.max(0, Math.floor(ms));
  return whole < 1e8 ? `${whole}m` : `${Math.min(Math.floor(whole / 1000), 99_999_999)}S`;
}

/** Writes milliseconds as `connect-timeout-ms`. */
export function connectTimeoutFromMs(ms: number): string {
  return String(Math.min(Math.max(0, Math.floor(ms)), 9_999_999_999));
}
