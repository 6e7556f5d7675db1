import { create, toBinary } from "@bufbuild/protobuf";
import { HealthTableSchema, OverridesSchema, type RegionHealth as RegionWritten, State, type EndpointHealth as Written } from "../../../gen/fairlead/health/v1/health_pb.js";
import { instantOf, type Read, readDocument, schemaVersion, timestampOf } from "./document.ts";
import { mostWeight, type Overrides } from "./overrides.ts";
import { isProbeRegion } from "./regions.ts";
import { shortText } from "./short-text.ts";
import type { EndpointHealth, Found, HealthTable } from "./table.ts";

/** The two documents as bytes. Loaded when the first is read: a third of a Worker's start would otherwise be their schemas. */

export function encodeTable({ writtenAt, revision, endpoints }: HealthTable): Uint8Array<ArrayBuffer> {
  const table = create(HealthTableSchema, {
    schemaVersion,
    revision: uint32(revision),
    endpoints: [...endpoints].map(([key, health]) => ({ key, ...written(health), regions: [...health.regions].map(([region, found]) => ({ region, ...written(found) })) })),
    writtenAt: timestampOf(writtenAt),
  });
  return toBinary(HealthTableSchema, table) as Uint8Array<ArrayBuffer>;
}

function written({ state, since, detail, successes, failures, probedAt, roundTripMs }: Found) {
  return {
    state: state === "healthy" ? State.HEALTHY : State.UNHEALTHY,
    since: timestampOf(since),
    detail,
    successes: uint32(successes),
    failures: uint32(failures),
    probedAt: timestampOf(probedAt),
    roundTripMs: uint32(roundTripMs),
  };
}

/** Reads a table, or says why there is none. Never throws. An entry without a state, or of a region, that is not known here is passed over. */
export function decodeTable(bytes: Uint8Array | null): Read<HealthTable> {
  const read = readDocument(HealthTableSchema, bytes);
  if ("none" in read) return read;
  const { writtenAt, revision, endpoints } = read.value;
  return { value: { writtenAt: instantOf(writtenAt), revision, endpoints: new Map(endpoints.filter(isKnown).map((health) => [health.key, { ...foundIn(health), regions: regionsOf(health) }])) } };
}

function regionsOf({ regions }: Written): EndpointHealth["regions"] {
  return new Map(regions.filter((found) => isKnown(found) && isProbeRegion(found.region)).map((found) => [found.region, foundIn(found)]));
}

function isKnown({ state }: Pick<Written, "state">): boolean {
  return state === State.HEALTHY || state === State.UNHEALTHY;
}

function foundIn({ state, since, detail, successes, failures, probedAt, roundTripMs }: Written | RegionWritten): Found {
  return { state: state === State.HEALTHY ? "healthy" : "unhealthy", since: instantOf(since), detail: shortText(detail), successes, failures, probedAt: instantOf(probedAt), roundTripMs };
}

/** What a uint32 can hold of a count. */
function uint32(n: number): number {
  return Math.min(Math.max(Math.round(n), 0), 0xffffffff);
}

export function encodeOverrides({ writtenAt, drains, weights }: Overrides): Uint8Array<ArrayBuffer> {
  const overrides = create(OverridesSchema, {
    schemaVersion,
    drains: drains.map(({ target, reason, since }) => ({ target, reason: shortText(reason), since: timestampOf(since) })),
    weights: weights.map(({ target, weight, since }) => ({ target, weight: Math.min(uint32(weight), mostWeight), since: timestampOf(since) })),
    writtenAt: timestampOf(writtenAt),
  });
  return toBinary(OverridesSchema, overrides) as Uint8Array<ArrayBuffer>;
}

/** Reads overrides, or says why there are none. Never throws. */
export function decodeOverrides(bytes: Uint8Array | null): Read<Overrides> {
  const read = readDocument(OverridesSchema, bytes);
  if ("none" in read) return read;
  const { writtenAt, drains, weights } = read.value;
  return {
    value: {
      writtenAt: instantOf(writtenAt),
      drains: drains.map(({ target, reason, since }) => ({ target, reason: shortText(reason), since: instantOf(since) })),
      weights: weights.map(({ target, weight, since }) => ({ target, weight: Math.min(weight, mostWeight), since: instantOf(since) })),
    },
  };
}
