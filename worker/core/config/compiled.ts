/**
 * The compiled config: what `fairlead build` writes and the Worker takes. Plain data in one canonical
 * JSON text; durations in milliseconds, sizes in bytes, names resolved to indices, every default filled in.
 */

import type { Code } from "../protocol/code.ts";
import type { CompiledAuth } from "./compiled-auth.ts";

/** Version of the shapes on this page. A Worker refuses any other. */
export const schemaVersion = 5;

export type MethodKind = "unary" | "client-stream" | "server-stream" | "bidi-stream";
export type Idempotency = "unknown" | "no-side-effects" | "idempotent";

export interface CompiledMethod {
  readonly path: string;
  readonly kind: MethodKind;
  readonly idempotency: Idempotency;
  /** Whether `descriptors` holds the types: without, the method cannot be recoded. */
  readonly typed: boolean;
  /** What the schema says; it holds where a route leaves it `open`. */
  readonly timeoutMs?: number;
  readonly maxAttempts?: number;
  readonly cache?: CompiledCacheHints;
}

/** How long replies to Connect GET may be kept. */
export interface CompiledCacheHints {
  /** Above 0. */
  readonly maxAgeSeconds: number;
  readonly staleSeconds: number;
  /** Names of headers, in lower case, by which origins answer differently. */
  readonly vary: readonly string[];
}

export interface CompiledEndpoint {
  /** Scheme, host and path prefix, without a trailing slash: `https://users.example.com/rpc`. */
  readonly url: string;
  /** Name of the binding to go through, or null for fetch. */
  readonly binding: string | null;
  /** The Host to send through a binding, or null for the URL's. */
  readonly authority: string | null;
  readonly weight: number;
  /** What the origin is shown; null: nothing. */
  readonly clientCertificate: CompiledEndpointCertificate | null;
}

/** Names of the secrets that hold, in PEM, a certificate, its private key, and further authorities of the origin's (null: none). */
export interface CompiledEndpointCertificate {
  readonly certificate: string;
  readonly key: string;
  readonly authorities: string | null;
}

export interface CompiledLocality {
  readonly region: string;
  readonly weight: number;
  /** 0 is used first. */
  readonly priority: number;
  /** Degrees. */
  readonly at: { readonly lat: number; readonly lng: number } | null;
  /** Whose callers are at home here: ISO 3166-1 alpha-2, and AF, AN, AS, EU, NA, OC, SA. */
  readonly countries: readonly string[];
  readonly continents: readonly string[];
  readonly endpoints: readonly CompiledEndpoint[];
}

export type UpstreamDialect = "connect" | "grpc-web" | "same";
export type CodecName = "proto" | "json";

export interface CompiledCluster {
  readonly name: string;
  readonly dialect: UpstreamDialect;
  readonly codecs: readonly CodecName[];
  readonly localities: readonly CompiledLocality[];
  /** Localities that are so many km farther than the nearest count as near. */
  readonly bandKm: number;
  /** How an endpoint is chosen inside a locality: by weight, or the less busy of two chosen by weight. */
  readonly choice: "random" | "least-pending";
  readonly healthCheck: CompiledHealthCheck | null;
  readonly outlier: CompiledOutlier;
  /** null: no limits. */
  readonly circuitBreaker: CompiledCircuitBreaker | null;
  readonly slowStartMs: number;
}

export interface CompiledHealthCheck {
  /** grpc.health.v1's service name, or null for HTTP. */
  readonly service: string | null;
  /** The path to GET; "" for grpc.health.v1. */
  readonly httpPath: string;
  /** The statuses of a GET that are healthy, from and to. */
  readonly httpStatuses: readonly (readonly [from: number, to: number])[];
  readonly timeoutMs: number;
  readonly intervalMs: number;
  readonly unhealthyThreshold: number;
  readonly healthyThreshold: number;
  /** Cloudflare's location hints; none: wherever the sweep runs. */
  readonly regions: readonly string[];
}

export interface CompiledOutlier {
  /** In a row, of an endpoint; and of a whole locality, at two of its endpoints or more, 0: never. */
  readonly consecutiveFailures: number;
  readonly localityFailures: number;
  /** Share of an endpoint's calls lately, from 0 to 1. */
  readonly failureRate: number;
  readonly baseEjectionMs: number;
  readonly maxEjectionMs: number;
  /** From 0 to 1. */
  readonly maxEjected: number;
}

/** How much one isolate, or all of them together, may have under way to a cluster; null: as much as comes. */
export interface CompiledCircuitBreaker {
  /** Whether all isolates count together. */
  readonly shared: boolean;
  readonly maxConnections: number | null;
  readonly maxPendingRequests: number | null;
  readonly maxRequests: number | null;
  readonly maxRetries: number | null;
}

export interface CompiledMetadataMatch {
  readonly name: string;
  readonly exact: string | null;
  readonly prefix: string | null;
  /** true: must be there; false: must not; null: `exact` or `prefix` decides. */
  readonly present: boolean | null;
}

export interface CompiledMatch {
  /** What is compared with the path: a method's path, `/package.Service/`, or any prefix. */
  readonly kind: "method" | "service" | "prefix";
  readonly path: string;
  readonly host: string | null;
  /** "" where there is none. */
  readonly basePath: string;
  readonly metadata: readonly CompiledMetadataMatch[];
}

export interface HeaderEdits {
  readonly set: readonly (readonly [name: string, value: string])[];
  readonly remove: readonly string[];
}

export interface CompiledSplit {
  /** Index in `clusters`. */
  readonly cluster: number;
  readonly weight: number;
}

/** What decides instead of a random number, so that a caller keeps its cluster, and its endpoint where that is pinned too. */
export interface CompiledSticky {
  readonly by: "header" | "cookie" | "address";
  /** Of the header (in lower case) or the cookie; "" for an address. */
  readonly name: string;
  readonly pins: "cluster" | "endpoint";
}

/** Where callers of these countries and continents, or of no known place, may be served at all. */
export interface CompiledResidency {
  readonly countries: readonly string[];
  readonly continents: readonly string[];
  readonly unplaced: boolean;
  readonly regions: readonly string[];
}

export interface CompiledRetry {
  /** 1: never again. */
  readonly maxAttempts: number;
  readonly codes: readonly Code[];
  readonly perTryTimeoutMs: number;
  /** null: by what calls of the method usually take. */
  readonly hedgingDelayMs: number | null;
}

export interface CompiledRoute {
  readonly match: CompiledMatch;
  /** At least one with a weight above 0. */
  readonly split: readonly CompiledSplit[];
  readonly sticky: CompiledSticky | null;
  readonly residency: readonly CompiledResidency[];
  readonly retry: CompiledRetry;
  readonly timeoutMs: number;
  readonly idleTimeoutMs: number;
  readonly maxDurationMs: number;
  readonly requestHeaders: HeaderEdits;
  readonly responseHeaders: HeaderEdits;
  readonly forwardedHeaders: boolean;
  readonly streams: "watched" | "blind";
  /** null: nothing is told. */
  readonly cache: CompiledCacheHints | null;
  /** What the config does not say, so that a method's own goes before the default that stands here. */
  readonly open: readonly ("timeoutMs" | "maxAttempts" | "cache")[];
}

export interface CompiledCors {
  /** Exact origins, or `["*"]`. Empty: no page of another origin may call. */
  readonly allowedOrigins: readonly string[];
  readonly allowCredentials: boolean;
  /** Names in lower case, or `["*"]`. */
  readonly allowedHeaders: readonly string[];
  readonly exposedHeaders: readonly string[];
  readonly maxAgeSeconds: number;
}

export interface CompiledLimits {
  readonly requestMessageBytes: number;
  readonly responseMessageBytes: number;
  readonly urlBytes: number;
  readonly headerBytes: number;
  readonly heldBytes: number;
}

/** Names of headers, in lower case, that tell a caller's place where the platform does not; "" where there is none. */
export interface CompiledPlaceHeaders {
  readonly latitude: string;
  readonly longitude: string;
  readonly country: string;
  readonly continent: string;
}

/** Who may ask why a call went where it went: whoever sends the secret of this name, or anybody where it is null. */
export interface CompiledExplain {
  readonly secret: string | null;
}

export interface CompiledConfig {
  readonly methods: readonly CompiledMethod[];
  /** A FileDescriptorSet in base64, or null where no descriptors were given. */
  readonly descriptors: string | null;
  readonly clusters: readonly CompiledCluster[];
  readonly routes: readonly CompiledRoute[];
  readonly cors: CompiledCors;
  readonly limits: CompiledLimits;
  readonly placeHeaders: CompiledPlaceHeaders;
  /** null: nobody may ask. */
  readonly explain: CompiledExplain | null;
  readonly auth: CompiledAuth;
}
