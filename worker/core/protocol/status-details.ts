import { codes } from "./code.ts";
import type { Code } from "./code.ts";
import type { Detail } from "./end.ts";
import { fromUtf8, utf8 } from "./envelope.ts";

/**
 * `grpc-status-details-bin` holds a google.rpc.Status {int32 code = 1; string message = 2; repeated Any details = 3}.
 * Three fields and an Any, read and written here so that details keep their order and their bytes.
 * https://github.com/googleapis/googleapis/blob/master/google/rpc/status.proto
 */
const typePrefix = "type.googleapis.com/";

export interface StatusDetails {
  readonly code: Code | undefined;
  readonly message: string;
  readonly details: readonly Detail[];
}

/** Writes a google.rpc.Status. */
export function statusDetailsToBinary(code: Code, message: string, details: readonly Detail[]): Uint8Array {
  const out: number[] = [];
  const number = codes.indexOf(code);
  if (number !== 0) out.push(0x08, number);
  if (message !== "") lengthDelimited(out, 0x12, utf8(message));
  for (const detail of details) {
    const any: number[] = [];
    lengthDelimited(any, 0x0a, utf8(typePrefix + detail.type));
    if (detail.value.length > 0) lengthDelimited(any, 0x12, detail.value);
    lengthDelimited(out, 0x1a, any);
  }
  return Uint8Array.from(out);
}

/** Reads a google.rpc.Status; undefined where the bytes are none. */
export function statusDetailsFromBinary(bytes: Uint8Array): StatusDetails | undefined {
  let code: Code | undefined = "ok";
  let message = "";
  const details: Detail[] = [];
  const fields = readFields(bytes);
  if (fields === undefined) return undefined;
  for (const { tag, value } of fields) {
    if (tag === 0x08 && typeof value === "number") code = codes[value];
    if (tag === 0x12 && typeof value === "object") message = fromUtf8(value);
    if (tag === 0x1a && typeof value === "object") {
      const any = readFields(value);
      if (any === undefined) return undefined;
      let type = "";
      let data: Uint8Array = new Uint8Array(0);
      for (const field of any) {
        if (typeof field.value !== "object") continue;
        if (field.tag === 0x0a) type = fromUtf8(field.value);
        if (field.tag === 0x12) data = field.value;
      }
      details.push({ type: type.slice(type.lastIndexOf("/") + 1), value: data });
    }
  }
  return { code, message, details };
}

function lengthDelimited(out: number[], tag: number, bytes: ArrayLike<number>): void {
  out.push(tag);
  let n = bytes.length;
  for (; n > 127; n >>>= 7) out.push((n & 127) | 128);
  out.push(n);
  for (let i = 0; i < bytes.length; i++) out.push(bytes[i]!);
}

/** All fields in order: tags with their varint, or their bytes. Undefined where the wire format is broken. */
function readFields(bytes: Uint8Array): { tag: number; value: number | Uint8Array }[] | undefined {
  const fields: { tag: number; value: number | Uint8Array }[] = [];
  let at = 0;
  const varint = (): number => {
    let result = 0;
    for (let scale = 1; at < bytes.length; scale *= 128) {
      const byte = bytes[at++]!;
      result += (byte & 127) * scale;
      if (byte < 128) return result;
    }
    return NaN;
  };
  while (at < bytes.length) {
    const tag = varint();
    const wire = tag & 7;
    if (wire === 0) {
      fields.push({ tag, value: varint() });
    } else {
      const length = wire === 2 ? varint() : wire === 1 ? 8 : wire === 5 ? 4 : NaN;
      if (!(at + length <= bytes.length)) return undefined;
      fields.push({ tag, value: bytes.subarray(at, at + length) });
      at += length;
    }
  }
  return fields.some((f) => Number.isNaN(f.tag) || Number.isNaN(f.value)) ? undefined : fields;
}
