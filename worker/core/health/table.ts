/** What probes found. Times are milliseconds since the epoch. */
export interface HealthTable {
  readonly writtenAt: number;
  /** One more whenever the state of an endpoint is another than before. */
  readonly revision: number;
  /** By `endpointKey`. */
  readonly endpoints: ReadonlyMap<string, EndpointHealth>;
}

export interface EndpointHealth {
  readonly state: "healthy" | "unhealthy";
  readonly since: number;
  /** What the last failed probe said, until the endpoint is well again; or what is to be noted of one that is healthy. */
  readonly detail: string;
  /** Probes in a row, up to the last, that went this way; one of the two is 0. */
  readonly successes: number;
  readonly failures: number;
  readonly probedAt: number;
  readonly roundTripMs: number;
}

/** Beyond this age a table says nothing any more: heartbeat 2 min, visibility 60 s, cacheTtl 30 s, and some room. */
export const tableMaxAgeMs = 5 * 60_000;

/** Whether a table may be believed. One from as far in the future as it might be old was written by a clock that is wrong. */
export function isFresh({ writtenAt }: HealthTable, now: number): boolean {
  return Math.abs(now - writtenAt) <= tableMaxAgeMs;
}
