import { type DescExtension, type DescField, type DescMessage, type JsonValue, type Registry, ScalarType } from "@bufbuild/protobuf";
import { BinaryReader, WireType } from "@bufbuild/protobuf/wire";

/**
 * What a message takes in memory while it is recoded, in bytes, reckoned before any of it is made: a type of a hundred fields
 * takes thousands of bytes for the two that an empty message is on the wire. Figures are those of V8 with protobuf-es, rounded up. Both throw
 * where they meet what no message can hold.
 */
export interface Footprints {
  ofJson(type: DescMessage, json: JsonValue): number;
  ofBinary(type: DescMessage, data: Uint8Array): number;
}

/** A value, its JSON, and its place in a list or an object. */
const leafBytes = 40;
const objectBytes = 160;
/** A list, a map or a oneof that every message of its type has, set or not, and any other field that it has: what making them leaves for the collector, too. */
const containerBytes = 96;
const slotBytes = 24;
const entryBytes = 80;
const unknownBytes = 200;
/** A `google.protobuf.Value`, and the oneof in it. */
const valueBytes = 120;
/** Digits that 64 bits may be written with: beyond it `BigInt` would take seconds to find out. */
const mostDigits = 1000;

interface Shape {
  readonly own: number;
  readonly byName: ReadonlyMap<string, DescField>;
  readonly byNumber: ReadonlyMap<number, DescField>;
}

type Field = DescField | DescExtension;

/** What JSON takes once it is parsed, in bytes, reckoned from its text: braces, brackets and commas outside of strings. */
export function parsedBytes(text: Uint8Array): number {
  let bytes = 0;
  let quoted = false;
  for (let i = 0; i < text.length; i++) {
    const char = text[i];
    if (char === quote) quoted = !quoted;
    else if (quoted) i += char === backslash ? 1 : 0;
    else if (char === brace || char === bracket) bytes += parsedContainerBytes;
    else if (char === comma) bytes += parsedElementBytes;
  }
  return bytes;
}

const parsedContainerBytes = 56;
const parsedElementBytes = 16;
const [quote, backslash, brace, bracket, comma] = [0x22, 0x5c, 0x7b, 0x5b, 0x2c];

/** `deepest`: levels that are looked at; whoever reads the message refuses more. */
export function footprints(registry: Registry, deepest: number): Footprints {
  const shapes = new Map<DescMessage, Shape>();

  function shapeOf(type: DescMessage): Shape {
    let shape = shapes.get(type);
    if (shape === undefined) shapes.set(type, (shape = shapeFrom(type)));
    return shape;
  }

  function message(type: DescMessage, json: JsonValue, name: string, depth: number): number {
    const { own, byName } = shapeOf(type);
    if (isDynamic(type)) return own + dynamic(json, name, depth);
    if (depth > deepest || typeof json !== "object" || json === null || Array.isArray(json)) return own + leaf(json, name);
    if (type.typeName === "google.protobuf.Any") return own + any(json, depth);
    let sum = own;
    for (const key in json) {
      const field = byName.get(key) ?? extensionOf(key);
      sum += field === undefined ? unknown(key, json[key]!, depth) : value(field, json[key]!, key, depth);
    }
    return sum;
  }

  function any(json: { readonly [key: string]: JsonValue }, depth: number): number {
    const url = json["@type"];
    const type = typeof url === "string" ? registry.getMessage(url.slice(url.lastIndexOf("/") + 1)) : undefined;
    if (type === undefined) return 0;
    return message(type, type.typeName.startsWith("google.protobuf.") && "value" in json ? json["value"]! : json, "value", depth + 1);
  }

  function value(field: Field, json: JsonValue, name: string, depth: number): number {
    if (field.fieldKind === "list" && Array.isArray(json)) return json.reduce<number>((sum, one) => sum + element(field, one, name, depth), 0);
    if (field.fieldKind !== "map" || typeof json !== "object" || json === null) return element(field, json, name, depth);
    let sum = 0;
    for (const key in json as { readonly [key: string]: JsonValue }) sum += entryBytes + leaf(key, name) + element(field, (json as { readonly [key: string]: JsonValue })[key]!, key, depth);
    return sum;
  }

  function element(field: Field, json: JsonValue, name: string, depth: number): number {
    if (field.message !== undefined) return message(field.message, json, name, depth + 1);
    if (typeof json === "string" && json.length > mostDigits && field.scalar !== undefined && isInteger(field.scalar)) throw new Error(`${JSON.stringify(shortened(name))} must be an integer`);
    return leaf(json, name);
  }

  /** `[package.extension]` */
  function extensionOf(key: string): DescExtension | undefined {
    return key.startsWith("[") ? registry.getExtension(key.slice(1, -1)) : undefined;
  }

  function binary(type: DescMessage, reader: BinaryReader, end: number, depth: number): number {
    const { own, byNumber } = shapeOf(type);
    let sum = own;
    if (depth > deepest) return skipTo(reader, end, sum);
    let packed: { type?: DescMessage | undefined; data?: Uint8Array } | undefined = type.typeName === "google.protobuf.Any" ? {} : undefined;
    while (reader.pos < end) {
      const [number, wire] = reader.tag();
      if (wire === WireType.EndGroup) break;
      const field = byNumber.get(number) ?? registry.getExtensionFor(type, number);
      if (packed !== undefined && wire === WireType.LengthDelimited) packed = number === 1 ? { ...packed, type: typeAt(reader.string()) } : { ...packed, data: reader.bytes() };
      else sum += field === undefined ? skip(reader, number, wire) : occurrence(field, reader, number, wire, depth);
    }
    return packed?.type !== undefined && packed.data !== undefined ? sum + binary(packed.type, new BinaryReader(packed.data), packed.data.length, depth + 1) : sum;
  }

  function typeAt(url: string): DescMessage | undefined {
    return registry.getMessage(url.slice(url.lastIndexOf("/") + 1));
  }

  function occurrence(field: Field, reader: BinaryReader, number: number, wire: WireType, depth: number): number {
    if (field.fieldKind === "map" && wire === WireType.LengthDelimited) return entryBytes + entry(field, reader, reader.uint32() + reader.pos, depth);
    if (wire === WireType.StartGroup && field.message !== undefined) return binary(field.message, reader, Infinity, depth + 1);
    if (wire !== WireType.LengthDelimited) return skip(reader, number, wire, leafBytes);
    if (field.message !== undefined) return binary(field.message, reader, reader.uint32() + reader.pos, depth + 1);
    const isPacked = field.fieldKind === "list" && field.scalar !== ScalarType.STRING && field.scalar !== ScalarType.BYTES;
    return isPacked ? leafBytes * valuesIn(reader.bytes(), field) : skip(reader, number, wire, leafBytes);
  }

  function entry(field: Field, reader: BinaryReader, end: number, depth: number): number {
    let sum = 0;
    while (reader.pos < end) {
      const [number, wire] = reader.tag();
      const isMessage = number === 2 && wire === WireType.LengthDelimited && field.message !== undefined;
      sum += isMessage ? binary(field.message, reader, reader.uint32() + reader.pos, depth + 1) : skip(reader, number, wire, leafBytes);
    }
    return sum;
  }

  return {
    ofJson: (type, json) => message(type, json, "", 0),
    ofBinary: (type, data) => binary(type, new BinaryReader(data), data.length, 0),
  };
}

function shapeFrom(type: DescMessage): Shape {
  const isContainer = ({ fieldKind }: DescField) => fieldKind === "list" || fieldKind === "map";
  const alone = type.fields.filter(({ oneof }) => oneof === undefined);
  const containers = alone.filter(isContainer).length;
  return {
    own: objectBytes + containerBytes * (containers + type.oneofs.length) + slotBytes * (alone.length - containers),
    byName: new Map(type.fields.flatMap((field) => [[field.name, field], [field.jsonName, field]])),
    byNumber: new Map(type.fields.map((field) => [field.number, field])),
  };
}

/** What is any JSON. */
function isDynamic({ typeName }: DescMessage): boolean {
  return typeName === "google.protobuf.Struct" || typeName === "google.protobuf.Value" || typeName === "google.protobuf.ListValue";
}

function dynamic(json: JsonValue, name: string, depth: number): number {
  if (typeof json !== "object" || json === null || depth > 1000) return valueBytes + leaf(json, name);
  let sum = valueBytes + objectBytes + containerBytes;
  if (Array.isArray(json)) return json.reduce<number>((all, one) => all + dynamic(one, name, depth + 1), sum);
  for (const key in json) sum += entryBytes + leaf(key, name) + dynamic(json[key]!, key, depth + 1);
  return sum;
}

/** What the schema does not know is left out, and takes nothing; but what is no JSON is refused wherever it stands. */
function unknown(key: string, json: JsonValue, depth: number): 0 {
  leaf(key, key);
  dynamic(json, key, depth);
  return 0;
}

/** What neither a double nor text in UTF-8 can be is refused: written in protobuf it would be something else. */
function leaf(json: JsonValue, name: string): number {
  if (json === Infinity || json === -Infinity) throw new Error(`the number of ${JSON.stringify(shortened(name))} must be in the range of a double`);
  if (typeof json === "string" && !json.isWellFormed()) throw new Error(`the text of ${JSON.stringify(shortened(name))} must be Unicode, without half a surrogate pair`);
  return leafBytes;
}

function shortened(name: string): string {
  return name.slice(0, 100);
}

function isInteger(scalar: ScalarType): boolean {
  return ![ScalarType.DOUBLE, ScalarType.FLOAT, ScalarType.BOOL, ScalarType.STRING, ScalarType.BYTES].includes(scalar);
}

function skip(reader: BinaryReader, number: number, wire: WireType, bytes = unknownBytes): number {
  reader.skip(wire, number);
  return bytes;
}

function skipTo(reader: BinaryReader, end: number, sum: number): number {
  if (end === Infinity) throw new Error("it is nested too deeply");
  reader.pos = end;
  return sum;
}

/** How many values are packed into these bytes. */
function valuesIn(data: Uint8Array, { scalar }: Field): number {
  if (scalar === ScalarType.FIXED32 || scalar === ScalarType.SFIXED32 || scalar === ScalarType.FLOAT) return data.length / 4;
  if (scalar === ScalarType.FIXED64 || scalar === ScalarType.SFIXED64 || scalar === ScalarType.DOUBLE) return data.length / 8;
  return data.reduce((count, byte) => count + (byte < 0x80 ? 1 : 0), 0);
}
