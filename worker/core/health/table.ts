import { create, toBinary } from "@bufbuild/protobuf";
import { HealthTableSchema, State, type EndpointHealth as Written } from "../../../gen/fairlead/health/v1/health_pb.js";
import { instantOf, type Read, readDocument, schemaVersion, shortText, timestampOf } from "./document.ts";

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

export function encodeTable({ writtenAt, revision, endpoints }: HealthTable): Uint8Array<ArrayBuffer> {
  const table = create(HealthTableSchema, {
    schemaVersion,
    revision: uint32(revision),
    endpoints: [...endpoints].map(([key, health]) => ({
      key,
      state: health.state === "healthy" ? State.HEALTHY : State.UNHEALTHY,
      since: timestampOf(health.since),
      detail: health.detail,
      successes: uint32(health.successes),
      failures: uint32(health.failures),
      probedAt: timestampOf(health.probedAt),
      roundTripMs: uint32(health.roundTripMs),
    })),
    writtenAt: timestampOf(writtenAt),
  });
  return toBinary(HealthTableSchema, table) as Uint8Array<ArrayBuffer>;
}

/** Reads a table, or says why there is none. Never throws. An entry without a state that is known here is passed over. */
export function decodeTable(bytes: Uint8Array | null): Read<HealthTable> {
  const read = readDocument(HealthTableSchema, bytes);
  if ("none" in read) return read;
  const { writtenAt, revision, endpoints } = read.value;
  return { value: { writtenAt: instantOf(writtenAt), revision, endpoints: new Map(endpoints.filter(isKnown).map((health) => [health.key, entryOf(health)])) } };
}

function isKnown({ state }: Written): boolean {
  return state === State.HEALTHY || state === State.UNHEALTHY;
}

function entryOf({ state, since, detail, successes, failures, probedAt, roundTripMs }: Written): EndpointHealth {
  return { state: state === State.HEALTHY ? "healthy" : "unhealthy", since: instantOf(since), detail: shortText(detail), successes, failures, probedAt: instantOf(probedAt), roundTripMs };
}

/** What a uint32 can hold of a count. */
function uint32(n: number): number {
  return Math.min(Math.max(Math.round(n), 0), 0xffffffff);
}
