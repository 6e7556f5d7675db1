/** What probes found. Times are milliseconds since the epoch. */
export interface HealthTable {
  readonly writtenAt: number;
  /** One more whenever the state of an endpoint, as a whole or from a region, is another than before. */
  readonly revision: number;
  /** By `endpointKey`. */
  readonly endpoints: ReadonlyMap<string, EndpointHealth>;
}

/** What probes of an endpoint found, those of one region or all together. */
export interface Found {
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

/** As a whole: where it is probed from several regions, well if one of them finds it so. */
export interface EndpointHealth extends Found {
  /** What each region finds that answered lately. */
  readonly regions: ReadonlyMap<string, Found>;
}

/** Whether two say the same of an endpoint, as a whole and from every region. */
export function sameStates(a: EndpointHealth | undefined, b: EndpointHealth): boolean {
  return a?.state === b.state && a.regions.size === b.regions.size && [...b.regions].every(([region, { state }]) => a.regions.get(region)?.state === state);
}

/** Beyond this age a table says nothing any more: heartbeat 2 min, visibility 60 s, cacheTtl 30 s, and some room. */
export const tableMaxAgeMs = 5 * 60_000;

/** Whether a table may be believed. One from as far in the future as it might be old was written by a clock that is wrong. */
export function isFresh({ writtenAt }: HealthTable, now: number): boolean {
  return Math.abs(now - writtenAt) <= tableMaxAgeMs;
}
