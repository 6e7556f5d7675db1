import { type DescMessage, type Registry, ScalarType } from "@bufbuild/protobuf";
import { BinaryReader, WireType } from "@bufbuild/protobuf/wire";
import { costs, deepestAny, type Field, isLong, isText, shapes, typeNameOf } from "./shapes.ts";

interface At {
  readonly depth: number;
  /** How many Any are around it. */
  readonly anys: number;
}

const top: At = { depth: 0, anys: 0 };

/**
 * Reckons what a message of protobuf takes in memory while it is read and written as JSON, in bytes, before it is made. Throws where it is malformed, or a
 * field is not of its wire type: protobuf-es would read on all the same, and find another message than was reckoned. `deepest`: levels.
 */
export function binaryFootprint(registry: Registry, deepest: number): (type: DescMessage, data: Uint8Array) => number {
  const shapeOf = shapes();

  /** A message up to `end`; Infinity: up to the end of its group. */
  function message(type: DescMessage, reader: BinaryReader, end: number, at: At): number {
    if (at.depth > deepest) throw new Error("it is nested too deeply");
    if (type.typeName === "google.protobuf.Any") return any(reader, end, at);
    const { own, byNumber } = shapeOf(type);
    const inner = { ...at, depth: at.depth + 1 };
    let sum = own;
    while (reader.pos < end) {
      const [number, wire] = reader.tag();
      if (wire === WireType.EndGroup) return endGroup(end, sum);
      const field = byNumber.get(number);
      const extension = field ?? registry.getExtensionFor(type, number);
      if (extension === undefined) sum += unknown(reader, number, wire);
      else sum += occurrence(extension, reader, wire, inner) + (field === undefined ? costs.unknown : 0);
    }
    if (reader.pos > end) throw new Error("a field is longer than its message");
    return sum;
  }

  function endGroup(end: number, sum: number): number {
    if (end !== Infinity) throw new Error("a group ends that has not begun");
    return sum;
  }

  function any(reader: BinaryReader, end: number, { depth, anys }: At): number {
    if (anys >= deepestAny) throw new Error("it has an Any in an Any too deeply");
    let sum = 300;
    let type: DescMessage | undefined;
    let data: Uint8Array | undefined;
    while (reader.pos < end) {
      const [number, wire] = reader.tag();
      if (wire === WireType.EndGroup) return endGroup(end, sum);
      if (number === 1) type = registry.getMessage(typeNameOf(text(reader, wire)));
      else if (number === 2) data = bytes(reader, wire);
      else sum += unknown(reader, number, wire);
    }
    return type === undefined || data === undefined ? sum : sum + 2 * message(type, new BinaryReader(data), data.length, { depth: depth + 1, anys: anys + 1 });
  }

  function occurrence(field: Field, reader: BinaryReader, wire: WireType, at: At): number {
    if (field.fieldKind === "map") return costs.entry + entry(field, reader, lengthAhead(reader, wire), at);
    if (field.message !== undefined) {
      if (wire === WireType.StartGroup && "delimitedEncoding" in field && field.delimitedEncoding) return message(field.message, reader, Infinity, at);
      return message(field.message, reader, lengthAhead(reader, wire), at);
    }
    const scalar = field.scalar ?? ScalarType.INT32;
    if (wire === WireType.LengthDelimited && field.fieldKind === "list" && !isText(scalar)) return packed(reader.bytes(), scalar);
    return single(scalar, reader, wire);
  }

  function entry(field: Field & { readonly fieldKind: "map" }, reader: BinaryReader, end: number, at: At): number {
    let sum = 0;
    while (reader.pos < end) {
      const [number, wire] = reader.tag();
      if (number === 1) sum += single(field.mapKey, reader, wire);
      else if (number !== 2) sum += unknown(reader, number, wire);
      else sum += field.message === undefined ? single(field.scalar ?? ScalarType.INT32, reader, wire) : message(field.message, reader, lengthAhead(reader, wire), at);
    }
    return sum;
  }

  function unknown(reader: BinaryReader, number: number, wire: WireType): number {
    reader.skip(wire, number, deepest);
    return costs.unknown;
  }

  return (type, data) => message(type, new BinaryReader(data), data.length, top);
}

function bytes(reader: BinaryReader, wire: WireType): Uint8Array {
  if (wire !== WireType.LengthDelimited) throw new Error("a field is not of its wire type");
  return reader.bytes();
}

function text(reader: BinaryReader, wire: WireType): string {
  return new TextDecoder().decode(bytes(reader, wire));
}

/** Where the message ends that begins here. */
function lengthAhead(reader: BinaryReader, wire: WireType): number {
  if (wire !== WireType.LengthDelimited) throw new Error("a field is not of its wire type");
  const length = reader.uint32();
  return reader.pos + length;
}

function single(scalar: ScalarType, reader: BinaryReader, wire: WireType): number {
  if (isText(scalar)) return costs.text + writtenBytes(bytes(reader, wire));
  if (wire !== wireTypeOf(scalar)) throw new Error("a field is not of its wire type");
  reader.skip(wire);
  return isLong(scalar) ? costs.bigint + costs.leaf : costs.leaf;
}

function packed(data: Uint8Array, scalar: ScalarType): number {
  const wire = wireTypeOf(scalar);
  const count = wire === WireType.Bit32 ? data.length / 4 : wire === WireType.Bit64 ? data.length / 8 : data.reduce((sum, byte) => sum + (byte < 0x80 ? 1 : 0), 0);
  return count * (isLong(scalar) ? costs.bigint : costs.leaf);
}

function wireTypeOf(scalar: ScalarType): WireType {
  switch (scalar) {
    case ScalarType.FIXED32: case ScalarType.SFIXED32: case ScalarType.FLOAT: return WireType.Bit32;
    case ScalarType.FIXED64: case ScalarType.SFIXED64: case ScalarType.DOUBLE: return WireType.Bit64;
    default: return WireType.Varint;
  }
}

/** Text as it was read, and what JSON makes of control characters: six, and that twice, as text and as bytes. */
function writtenBytes(data: Uint8Array): number {
  return data.length + 12 * data.reduce((sum, byte) => sum + (byte < 0x20 ? 1 : 0), 0);
}
