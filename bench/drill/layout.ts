/** Where the endpoints are, how far from the caller in milliseconds there and back, and what the caller sends. */
export const localities = [
  { name: "near", lat: 50.11, lng: 8.68, rttMs: 0 },
  { name: "middle", lat: 39.04, lng: -77.49, rttMs: 40 },
  { name: "far", lat: -33.87, lng: 151.21, rttMs: 80 },
] as const;

export interface Endpoint {
  /** "near-0". */
  readonly name: string;
  /** Index in `localities`. */
  readonly locality: number;
  readonly rttMs: number;
}

/** Three to a locality, in the order of the localities. */
export const endpoints: readonly Endpoint[] = localities.flatMap(({ name, rttMs }, locality) => [0, 1, 2].map((i) => ({ name: `${name}-${i}`, locality, rttMs })));

/** How long an origin works on a call, in milliseconds, beside the way. */
export const workMs = 5;
/** A gray endpoint takes so many times as long. */
export const grayFactor = 10;

export const faults = ["refused", "blackhole", "unavailable", "trailers-only", "gray"] as const;
export type Fault = (typeof faults)[number];

export const runtimes = ["workerd", "deno"] as const;
/** What stands between callers and origins: fairlead on a runtime, or Envoy for comparison. */
export type Proxy = (typeof runtimes)[number] | "envoy";

/** What the config says of the method. */
export const methods = { safe: "NO_SIDE_EFFECTS", idempotent: "IDEMPOTENT", unsafe: "IDEMPOTENCY_UNKNOWN" } as const;
export type Method = keyof typeof methods;

/** Indexes of the endpoints that fail: the nearest locality's, or one of them. */
export function sickOf(fault: Fault): readonly number[] {
  return fault === "gray" ? [0] : endpoints.flatMap(({ locality }, i) => (locality === 0 ? [i] : []));
}

export const service = "fairlead.drill.v1.DrillService";
export const callPath = `/${service}/Call`;
/** The Host of calls that name none. */
export const callAuthority = "drill";
export const healthPath = "/grpc.health.v1.Health/Check";

/** Headers of the caller's place, a stone's throw from the nearest locality. */
export const placeHeaders = { latitude: "x-drill-latitude", longitude: "x-drill-longitude" } as const;
export const callerAt = { lat: 50.2, lng: 8.6 } as const;
/** Tells an origin which call it is, so that a call that reaches two is found out. */
export const idHeader = "x-call-id";

/** Seconds from the start, and calls a second; a call's deadline, and what counts as slow, in milliseconds. */
export const faultAt = 10;
export const returnAt = 24;
export const perSecond = 200;
export const deadlineMs = 10_000;
export const slowMs = 500;

/** A message of 100 bytes of protobuf: field 1, a string of 98 characters that begins with the given ones. */
export function message(text: string): Buffer {
  return Buffer.concat([Buffer.from([0x0a, 98]), Buffer.from(text.padEnd(98, "."), "latin1")]);
}

/** Milliseconds since 1970, with fractions; the same clock in every process of this machine. */
export function now(): number {
  return performance.timeOrigin + performance.now();
}
