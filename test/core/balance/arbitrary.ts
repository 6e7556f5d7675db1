import fc from "fast-check";
import type { Ask, Random } from "../../../worker/core/balance/pick.ts";
import { type RawPlace, readPlace } from "../../../worker/core/balance/place.ts";
import { type EndpointState, type Snapshot, snapshot } from "../../../worker/core/balance/snapshot.ts";
import type { CompiledCluster, CompiledEndpoint, CompiledLocality, CompiledMatch, CompiledResidency, CompiledRoute, CompiledSticky } from "../../../worker/core/config/compiled.ts";

/** Uniform in [0, 1), 32 bits of it, the same for the same seed: mulberry32. */
export function seeded(seed: number): Random {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let bits = Math.imul(state ^ (state >>> 15), state | 1);
    bits ^= bits + Math.imul(bits ^ (bits >>> 7), bits | 61);
    return ((bits ^ (bits >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** The largest number below 1. */
export const almostOne = 1 - 2 ** -53;

/** How far an observed share may be from the true one after so many draws, once in a billion: Hoeffding's inequality. */
export function hoeffding(draws: number): number {
  return Math.sqrt(Math.log(2 / 1e-9) / (2 * draws));
}

export function endpoint(url: string, weight = 1): CompiledEndpoint {
  return { url, binding: null, authority: null, weight, clientCertificate: null };
}

/** Without endpoints of its own, a locality has one. */
export function locality(region: string, rest: Partial<CompiledLocality> = {}): CompiledLocality {
  return { region, weight: 1, priority: 0, at: null, countries: [], continents: [], endpoints: [endpoint(`https://${region}`)], ...rest };
}

/** Endpoints of weight 1: `https://region-0` and so on. */
export function endpoints(region: string, count: number): CompiledEndpoint[] {
  return Array.from({ length: count }, (_, i) => endpoint(`https://${region}-${i}`));
}

export function cluster(name: string, localities: readonly CompiledLocality[], rest: Partial<CompiledCluster> = {}): CompiledCluster {
  const outlier = { consecutiveFailures: 5, baseEjectionMs: 30_000, maxEjectionMs: 300_000, maxEjected: 0.1, localityFailures: 3, failureRate: 0.3 };
  return { name, dialect: "connect", codecs: ["proto"], localities, bandKm: 250, choice: "random", healthCheck: null, outlier, circuitBreaker: null, slowStartMs: 0, ...rest };
}

export function match(rest: Partial<CompiledMatch> = {}): CompiledMatch {
  return { kind: "prefix", path: "/", host: null, basePath: "", metadata: [], ...rest };
}

const edits = { set: [], remove: [] };
/** A route to the first cluster. */
export function route(rest: Partial<CompiledRoute> = {}): CompiledRoute {
  return {
    match: match(), split: [{ cluster: 0, weight: 1 }], sticky: null, residency: [], retry: { maxAttempts: 3, codes: ["unavailable"], perTryTimeoutMs: 800, hedgingDelayMs: null }, timeoutMs: 1, idleTimeoutMs: 1, maxDurationMs: 1,
    requestHeaders: edits, responseHeaders: edits, forwardedHeaders: false, streams: "watched", cache: null, open: [], ...rest,
  };
}

/** A config, what is known of its endpoints (by URL), and a call. */
export interface World extends Ask {
  readonly clusters: readonly CompiledCluster[];
  readonly states: ReadonlyMap<string, EndpointState>;
}

export function seen({ clusters, states }: Pick<World, "clusters" | "states">): Snapshot {
  return snapshot(clusters, (_cluster, _region, { url }) => states.get(url) ?? "unknown");
}

/** What is known of the first so many endpoints of a locality: `{ sick: 2, drained: 1 }`. */
export function statesOf(endpoints: readonly CompiledEndpoint[], { sick = 0, drained = 0 }: { readonly sick?: number; readonly drained?: number }): [string, EndpointState][] {
  return endpoints.map(({ url }, i) => [url, i < sick ? "unhealthy" : i < sick + drained ? "drained" : "healthy"]);
}

export const someCountries = ["DE", "FR", "US", "JP", "NZ", "FJ", "BR"] as const;
export const someContinents = ["EU", "NA", "AS", "OC", "AF", "SA", "AN"] as const;

export const point = fc.oneof(
  fc.constantFrom({ lat: 90, lng: 0 }, { lat: -90, lng: 180 }, { lat: 0, lng: -180 }, { lat: -17, lng: 179.9 }, { lat: -17, lng: -179.9 }, { lat: 50.1, lng: 8.7 }),
  fc.record({ lat: fc.double({ min: -90, max: 90, noNaN: true }), lng: fc.double({ min: -180, max: 180, noNaN: true }) }),
);

const nonsense = fc.constantFrom(Number.NaN, "NaN", "", " ", null, undefined, 90.5, -181, "1e9", Infinity, "-Infinity", "somewhere", true, {});
const degree = (most: number) => fc.oneof({ weight: 3, arbitrary: fc.integer({ min: -most, max: most }) }, { weight: 3, arbitrary: fc.integer({ min: -most, max: most }).map(String) }, { weight: 1, arbitrary: nonsense });
export const rawPlace: fc.Arbitrary<RawPlace> = fc.oneof(
  fc.record({ latitude: degree(90), longitude: degree(180), country: fc.constantFrom(...someCountries, "de", "XX", "T1", "", 49, undefined), continent: fc.constantFrom(...someContinents, "eu", "??", null, undefined) }, { requiredKeys: [] }),
  point.map(({ lat, lng }) => ({ latitude: String(lat), longitude: lng })),
  fc.constantFrom(...someCountries).map((country) => ({ country })),
);
export const place = rawPlace.map(readPlace);

export const weight = fc.oneof({ weight: 4, arbitrary: fc.constantFrom(0, 1, 1, 1, 2, 9) }, { weight: 1, arbitrary: fc.integer({ min: 0, max: 1_000_000 }) });
const above0 = weight.map((w) => w || 1);

/** How well the endpoints of a world are, from all of them to none. */
const mood = fc.constantFrom<readonly EndpointState[]>(["unknown", "healthy"], ["unknown", "healthy", "healthy", "unhealthy", "unreached", "drained"], ["healthy", "unhealthy", "unhealthy", "unhealthy"], ["unhealthy", "drained"], ["drained"]);

interface Drawn { readonly locality: CompiledLocality; readonly states: readonly EndpointState[] }
function drawnLocality(states: fc.Arbitrary<EndpointState>): fc.Arbitrary<Drawn> {
  return fc.record({
    weight, states: fc.array(fc.tuple(states, weight), { minLength: 1, maxLength: 5 }), priority: fc.constantFrom(0, 0, 0, 0, 1, 2),
    at: fc.option(point, { freq: 4 }), home: fc.option(fc.constantFrom(...someCountries, ...someContinents)),
  }).map(({ states, home, ...rest }) => ({
    locality: locality("", { ...rest, endpoints: states.map(([, w]) => endpoint("", w)), countries: home !== null && isCountry(home) ? [home] : [], continents: home !== null && !isCountry(home) ? [home] : [] }),
    states: states.map(([state]) => state),
  }));
}

function isCountry(code: string): boolean {
  return someCountries.some((country) => country === code);
}

/** Gives everything its name: clusters share regions, as versions of one origin do. */
function named(clusters: readonly { readonly drawn: readonly Drawn[]; readonly bandKm: number; readonly choice: CompiledCluster["choice"] }[]): Pick<World, "clusters" | "states"> {
  const states = new Map<string, EndpointState>();
  return {
    states,
    clusters: clusters.map(({ drawn, ...rest }, c) => cluster(`cluster-${c}`, drawn.map(({ locality, states: known }, l) => ({
      ...locality,
      region: regionName(l),
      endpoints: locality.endpoints.map((one, e) => {
        const url = `https://c${c}.l${l}.e${e}.example`;
        states.set(url, known[e]!);
        return { ...one, url };
      }),
    })), rest)),
  };
}

const regionName = (i: number): string => (i % 7 === 3 ? `köln-${i}` : `region-${i}`);

function residency(regions: number): fc.Arbitrary<CompiledResidency[]> {
  const names = Array.from({ length: regions }, (_, i) => regionName(i));
  const rule = fc.record({ countries: fc.subarray([...someCountries], { maxLength: 3 }), continents: fc.subarray([...someContinents], { maxLength: 3 }), unplaced: fc.boolean(), regions: fc.subarray(names, { minLength: 1 }) });
  return fc.oneof({ weight: 2, arbitrary: fc.constant<CompiledResidency[]>([]) }, { weight: 1, arbitrary: fc.array(rule, { maxLength: 3 }) });
}

const sticky: fc.Arbitrary<CompiledSticky> = fc.record({ by: fc.constantFrom("header" as const, "cookie" as const, "address" as const), name: fc.constant("x-user"), pins: fc.constantFrom("cluster" as const, "endpoint" as const) });

/** A world of up to `most` localities a cluster. */
export function world(most: number, choices: readonly CompiledCluster["choice"][] = ["random", "least-pending"]): fc.Arbitrary<World> {
  const clusters = mood.chain((states) => fc.array(fc.record({
    drawn: fc.array(drawnLocality(fc.constantFrom(...states)), { minLength: 1, maxLength: most, size: most > 10 ? "max" : "small" }),
    bandKm: fc.constantFrom(0, 250, 5000, 21_000), choice: fc.constantFrom(...choices),
  }), { minLength: 1, maxLength: 3 })).map(named);
  return clusters.chain((known) => fc.record({
    place, key: fc.option(fc.string({ maxLength: 8 }), { nil: undefined }), sticky: fc.option(sticky),
    weights: fc.tuple(above0, ...known.clusters.slice(1).map(() => weight)), residency: residency(Math.max(...known.clusters.map(({ localities }) => localities.length))),
  }).map(({ place, key, weights, ...rest }): World => ({
    ...known, place, key: rest.sticky === null ? undefined : key, route: route({ ...rest, split: weights.map((weight, cluster) => ({ cluster, weight })) }),
  })));
}
