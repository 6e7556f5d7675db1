import fc from "fast-check";
import type { CompiledHealthCheck } from "../../../worker/core/config/compiled.ts";
import type { ProbeResult } from "../../../worker/core/health/judge.ts";
import type { EndpointHealth, Found, HealthTable } from "../../../worker/core/health/table.ts";

export const noon = Date.UTC(2026, 10, 24, 12);

export function check(rest: Partial<CompiledHealthCheck> = {}): CompiledHealthCheck {
  return { service: "", httpPath: "", httpStatuses: [[200, 299]], timeoutMs: 1000, intervalMs: 10_000, unhealthyThreshold: 3, healthyThreshold: 2, regions: [], ...rest };
}

export function health(rest: Partial<EndpointHealth> = {}): EndpointHealth {
  return { state: "healthy", since: noon, detail: "", successes: 1, failures: 0, probedAt: noon, roundTripMs: 3, regions: new Map(), ...rest };
}

export function table(endpoints: Readonly<Record<string, EndpointHealth>>, rest: Partial<HealthTable> = {}): HealthTable {
  return { writtenAt: noon, revision: 1, endpoints: new Map(Object.entries(endpoints)), ...rest };
}

export function result(key: string, healthy: boolean, at = noon): ProbeResult {
  return { key, region: null, healthy, detail: healthy ? "" : "NOT_SERVING", roundTripMs: 2, at };
}

const instant = fc.integer({ min: 0, max: 8.64e15 });
const count = fc.integer({ min: 0, max: 2 ** 32 - 1 });
const anyFound: fc.Arbitrary<Found> = fc.record({
  state: fc.constantFrom("healthy" as const, "unhealthy" as const), since: instant, detail: fc.stringMatching(/^[a-zäß日]{0,30}$/), successes: count, failures: count, probedAt: instant, roundTripMs: count,
});
const anyRegions = fc.uniqueArray(fc.tuple(fc.constantFrom("weur", "enam", "apac", "apac-ne"), anyFound), { selector: ([region]) => region, maxLength: 3 }).map((rows) => new Map(rows));
export const anyHealth: fc.Arbitrary<EndpointHealth> = fc.tuple(anyFound, anyRegions).map(([found, regions]) => ({ ...found, regions }));
export const anyTable: fc.Arbitrary<HealthTable> = fc.record({ writtenAt: instant, revision: count, endpoints: fc.dictionary(fc.string(), anyHealth, { maxKeys: 6 }).map((entries) => new Map(Object.entries(entries))) });

/** Bytes that were a document once. */
export function mangled(bytes: fc.Arbitrary<Uint8Array>): fc.Arbitrary<Uint8Array> {
  const flips = fc.array(fc.tuple(fc.nat(), fc.integer({ min: 1, max: 255 })), { minLength: 1, maxLength: 8 });
  return fc.tuple(bytes, flips).map(([whole, changes]) => {
    const changed = whole.slice();
    for (const [at, by] of changes) if (changed.length > 0) changed[at % changed.length]! ^= by;
    return changed;
  });
}
