import type { FileRegistry } from "@bufbuild/protobuf";
import type { FileDescriptorSet } from "@bufbuild/protobuf/wkt";
import { type CircuitBreaker, type Cluster, Codec, type Config, Dialect, type Endpoint, EndpointChoice, type Headers, type HealthCheck, type Locality, type Outlier, type Retry, type Route, type Sticky, Streams } from "../../gen/fairlead/config/v1/config_pb.js";
import type {
  CodecName, CompiledCircuitBreaker, CompiledCluster, CompiledConfig, CompiledCors, CompiledEndpoint, CompiledHealthCheck, CompiledLimits, CompiledLocality, CompiledOutlier, CompiledPlaceHeaders, CompiledRetry, CompiledRoute, CompiledSticky, HeaderEdits, UpstreamDialect,
} from "../../worker/core/config/compiled.ts";
import { codes } from "../../worker/core/protocol/code.ts";
import { base64Encode } from "../../worker/core/protocol/base64.ts";
import { compileAuth } from "./compile-auth.ts";
import { compileCacheHints } from "./cache-hints.ts";
import { descriptorBytes } from "./descriptors.ts";
import { durationMs } from "./duration.ts";
import { compileMatch } from "./matches.ts";
import { methodTable } from "./methods.ts";

/**
 * Compiles a config that passed every check to what the Worker takes: defaults filled in, names resolved to
 * indices. Clusters in order of name, routes in the file's order.
 */
export function compile(config: Config, { set, registry }: { set: FileDescriptorSet; registry: FileRegistry }): CompiledConfig {
  const names = Object.keys(config.clusters).sort();
  return {
    methods: methodTable(config, registry),
    descriptors: set.file.length === 0 ? null : base64Encode(descriptorBytes(set)),
    clusters: names.map((name) => compileCluster(name, config.clusters[name])),
    routes: config.routes.map((route) => compileRoute(route, names)),
    cors: compileCors(config.cors),
    limits: compileLimits(config.limits),
    placeHeaders: compilePlaceHeaders(config.placeHeaders),
    explain: config.explain === undefined ? null : { secret: config.explain.who.case === "secret" ? config.explain.who.value : null },
    auth: compileAuth(config.auth, registry, names),
  };
}

const dialects: Readonly<Partial<Record<Dialect, UpstreamDialect>>> = { [Dialect.CONNECT]: "connect", [Dialect.GRPC_WEB]: "grpc-web" };

function compileCluster(name: string, cluster: Cluster | undefined): CompiledCluster {
  const codecs: CodecName[] = (cluster?.codecs ?? []).map((codec) => (codec === Codec.JSON ? "json" : "proto"));
  return {
    name,
    dialect: (cluster && dialects[cluster.dialect]) ?? "same",
    codecs: codecs.length === 0 ? ["proto", "json"] : codecs,
    localities: (cluster?.localities ?? []).map(compileLocality),
    bandKm: cluster?.bandKm ?? 250,
    choice: cluster?.endpointChoice === EndpointChoice.LEAST_PENDING ? "least-pending" : "random",
    healthCheck: compileHealthCheck(cluster?.healthCheck),
    outlier: compileOutlier(cluster?.outlier),
    circuitBreaker: compileCircuitBreaker(cluster?.circuitBreaker),
    slowStartMs: cluster?.slowStart ? durationMs(cluster.slowStart) : 10_000,
  };
}

function compileLocality({ region, weight = 1, priority, at, countries, continents, endpoints }: Locality): CompiledLocality {
  return {
    region,
    weight,
    priority,
    at: at === undefined ? null : { lat: at.lat, lng: at.lng },
    countries: [...countries].sort(),
    continents: [...continents].sort(),
    endpoints: endpoints.map(compileEndpoint),
  };
}

/** As `new URL` writes it, without the slashes that may end it. */
export function endpointUrl(url: string): string {
  const { origin, pathname } = new URL(url);
  return origin + pathname.replace(/\/+$/, "");
}

function compileEndpoint({ url, binding, authority, weight = 1, clientCertificate: shown }: Endpoint): CompiledEndpoint {
  const clientCertificate = shown === undefined ? null : { certificate: shown.certificate, key: shown.key, authorities: orNull(shown.authorities) };
  return { url: endpointUrl(url), binding: orNull(binding), authority: orNull(authority), weight, clientCertificate };
}

function compileRoute(route: Route, clusters: readonly string[]): CompiledRoute {
  return {
    match: compileMatch(route.match),
    split: sharesOf(route).map(({ cluster, weight }) => ({ cluster: clusters.indexOf(cluster), weight })),
    sticky: compileSticky(route.sticky),
    retry: compileRetry(route.retry),
    residency: route.residency.map(({ countries, continents, unplaced, regions }) => ({ countries, continents, unplaced, regions })),
    timeoutMs: route.timeout ? durationMs(route.timeout) : 15_000,
    idleTimeoutMs: route.idleTimeout ? durationMs(route.idleTimeout) : 60_000,
    maxDurationMs: route.maxDuration ? durationMs(route.maxDuration) : 3_600_000,
    requestHeaders: compileHeaders(route.requestHeaders),
    responseHeaders: compileHeaders(route.responseHeaders),
    forwardedHeaders: route.forwardedHeaders,
    streams: route.streams === Streams.BLIND ? "blind" : "watched",
    cache: compileCacheHints(route.cache) ?? null,
    open: [...(route.timeout === undefined ? ["timeoutMs" as const] : []), ...(route.retry?.maxAttempts === undefined ? ["maxAttempts" as const] : []), ...(route.cache === undefined ? ["cache" as const] : [])],
  };
}

/** The clusters that a route leads to, with their weights: `cluster` is a split of one. */
export function sharesOf({ cluster, split }: Route): { readonly cluster: string; readonly weight: number }[] {
  return split.length === 0 ? [{ cluster, weight: 1 }] : split.map(({ cluster, weight = 1 }) => ({ cluster, weight }));
}

function compileSticky(sticky: Sticky | undefined): CompiledSticky | null {
  if (sticky?.key.case === undefined) return null;
  const pins = sticky.endpoint ? "endpoint" : "cluster";
  return sticky.key.case === "clientAddress" ? { by: "address", name: "", pins } : { by: sticky.key.case, name: sticky.key.value, pins };
}

function compileHealthCheck(check: HealthCheck | undefined): CompiledHealthCheck | null {
  if (check === undefined) return null;
  return {
    service: check.probe.case === "service" ? check.probe.value : null,
    httpPath: check.probe.case === "httpPath" ? check.probe.value : "",
    httpStatuses: compileStatuses(check.httpStatuses),
    timeoutMs: check.timeout ? durationMs(check.timeout) : 1000,
    intervalMs: check.interval ? durationMs(check.interval) : 60_000,
    unhealthyThreshold: check.unhealthyThreshold ?? 3,
    healthyThreshold: check.healthyThreshold ?? 2,
    regions: check.regions,
  };
}

function compileStatuses(ranges: readonly string[]): [number, number][] {
  if (ranges.length === 0) return [[200, 299]];
  return ranges.map((range): [number, number] => [Number(range.slice(0, 3)), Number(range.slice(-3))]).sort(([a], [b]) => a - b);
}

function compileOutlier(outlier: Outlier | undefined): CompiledOutlier {
  return {
    consecutiveFailures: outlier?.consecutiveFailures ?? 5,
    localityFailures: outlier?.localityFailures ?? 3,
    failureRate: (outlier?.failurePercent ?? 30) / 100,
    baseEjectionMs: outlier?.baseEjection ? durationMs(outlier.baseEjection) : 7000,
    maxEjectionMs: outlier?.maxEjection ? durationMs(outlier.maxEjection) : 300_000,
    maxEjected: (outlier?.maxEjectedPercent ?? 10) / 100,
  };
}

function compileCircuitBreaker(breaker: CircuitBreaker | undefined): CompiledCircuitBreaker | null {
  if (breaker === undefined) return null;
  const { shared, maxConnections = null, maxPendingRequests = null, maxRequests = null, maxRetries = null } = breaker;
  return { shared, maxConnections, maxPendingRequests, maxRequests, maxRetries };
}

function compileRetry(retry: Retry | undefined): CompiledRetry {
  const worthwhile = (retry?.codes ?? []).map((code) => codes[code]!);
  return {
    maxAttempts: retry?.maxAttempts ?? 3,
    codes: worthwhile.length === 0 ? ["unavailable"] : worthwhile,
    perTryTimeoutMs: retry?.perTryTimeout ? durationMs(retry.perTryTimeout) : 800,
    hedgingDelayMs: retry?.hedgingDelay ? durationMs(retry.hedgingDelay) : null,
  };
}

function compilePlaceHeaders(headers: Config["placeHeaders"]): CompiledPlaceHeaders {
  const { latitude = "", longitude = "", country = "", continent = "" } = headers ?? {};
  return { latitude, longitude, country, continent };
}

function compileHeaders(headers: Headers | undefined): HeaderEdits {
  const set = Object.entries(headers?.set ?? {}).sort(([a], [b]) => (a < b ? -1 : 1));
  return { set, remove: [...(headers?.remove ?? [])].sort() };
}

function compileCors(cors: Config["cors"]): CompiledCors {
  return {
    allowedOrigins: cors?.allowedOrigins ?? [],
    allowCredentials: cors?.allowCredentials ?? false,
    allowedHeaders: (cors?.allowedHeaders ?? []).map((name) => name.toLowerCase()),
    exposedHeaders: cors?.exposedHeaders ?? [],
    maxAgeSeconds: cors?.maxAge ? Math.floor(durationMs(cors.maxAge) / 1000) : 7200,
  };
}

export function compileLimits(limits: Config["limits"]): CompiledLimits {
  return {
    requestMessageBytes: limits?.requestMessageBytes ?? 4 << 20,
    responseMessageBytes: limits?.responseMessageBytes ?? 16 << 20,
    urlBytes: limits?.urlBytes ?? 8 << 10,
    headerBytes: limits?.headerBytes ?? 32 << 10,
    heldBytes: limits?.heldBytes ?? 48 << 20,
  };
}

function orNull(text: string): string | null {
  return text === "" ? null : text;
}
