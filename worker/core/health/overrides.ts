import { create, toBinary } from "@bufbuild/protobuf";
import { OverridesSchema } from "../../../gen/fairlead/health/v1/health_pb.js";
import { instantOf, type Read, readDocument, schemaVersion, shortText, timestampOf } from "./document.ts";

/** What operators decided; it holds until they decide otherwise. */
export interface Overrides {
  readonly writtenAt: number;
  readonly drains: readonly Drain[];
}

/** What gets no new call, not even in panic. */
export interface Drain {
  /** One of an endpoint's `keysAbove`. */
  readonly target: string;
  readonly reason: string;
  readonly since: number;
}

export function encodeOverrides({ writtenAt, drains }: Overrides): Uint8Array<ArrayBuffer> {
  const written = drains.map(({ target, reason, since }) => ({ target, reason: shortText(reason), since: timestampOf(since) }));
  return toBinary(OverridesSchema, create(OverridesSchema, { schemaVersion, drains: written, writtenAt: timestampOf(writtenAt) })) as Uint8Array<ArrayBuffer>;
}

/** Reads overrides, or says why there are none. Never throws. */
export function decodeOverrides(bytes: Uint8Array | null): Read<Overrides> {
  const read = readDocument(OverridesSchema, bytes);
  if ("none" in read) return read;
  const { writtenAt, drains } = read.value;
  return { value: { writtenAt: instantOf(writtenAt), drains: drains.map(({ target, reason, since }) => ({ target, reason: shortText(reason), since: instantOf(since) })) } };
}
