import { fromBinary, type DescMessage, type MessageShape } from "@bufbuild/protobuf";
import { type Timestamp, timestampFromMs, timestampMs } from "@bufbuild/protobuf/wkt";

/** Version of the documents in health.proto. A reader passes over any other, older or newer. */
export const schemaVersion = 1;

/** No document that this code writes is larger: that is 20,000 endpoints or more, 5,000 that are probed from three regions. */
export const mostBytes = 4 * 1024 * 1024;

/** Why there is no document. */
export type Absence = "missing" | "too-large" | "corrupt" | "cut-short" | "other-schema";

export type Read<T> = { readonly value: T } | { readonly none: Absence };

interface Document {
  readonly schemaVersion: number;
  readonly writtenAt?: Timestamp;
}

/** Reads the bytes of a document, which anybody may have written: whatever they are, nothing is thrown. */
export function readDocument<Desc extends DescMessage>(desc: Desc, bytes: Uint8Array | null): Read<MessageShape<Desc> & Document> {
  if (bytes === null) return { none: "missing" };
  if (bytes.length > mostBytes) return { none: "too-large" };
  let document: MessageShape<Desc> & Document;
  try {
    document = fromBinary(desc, bytes, { readUnknownFields: false }) as MessageShape<Desc> & Document;
  } catch {
    return { none: "corrupt" };
  }
  if (document.schemaVersion !== schemaVersion) return { none: document.schemaVersion === 0 ? "corrupt" : "other-schema" };
  return document.writtenAt === undefined ? { none: "cut-short" } : { value: document };
}

/** The largest instant that a Date can hold. */
const lastInstant = 8.64e15;

/** Milliseconds since the epoch, of whatever a document says; 0 where it says nothing. */
export function instantOf(timestamp: Timestamp | undefined): number {
  return timestamp === undefined ? 0 : Math.min(Math.max(timestampMs(timestamp), 0), lastInstant);
}

export function timestampOf(ms: number): Timestamp {
  return timestampFromMs(Math.min(Math.max(Math.floor(ms), 0), lastInstant));
}
