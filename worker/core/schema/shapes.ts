import { type DescExtension, type DescField, type DescMessage, ScalarType } from "@bufbuild/protobuf";

export type Field = DescField | DescExtension;

/** What a message takes in memory, in bytes: figures of V8 with protobuf-es, with what making it leaves for the collector. */
export const costs = {
  /** A number, or a reference to what is counted elsewhere, and its JSON. */
  leaf: 20,
  /** An integer of 64 bits, which is a bigint. */
  bigint: 40,
  /** Text beside its characters. */
  text: 24,
  entry: 32,
  /** A field that no schema knows, kept until it is known that nobody asks for it. */
  unknown: 200,
} as const;

const messageBytes = 160;
/** A list, a map or a oneof that every message of its type has, set or not, and any other field. */
const containerBytes = 96;
const slotBytes = 24;
/** Of more fields than this V8 moves the values about while they are set. */
const fewFields = 24;

/** What of a type its messages are reckoned by. */
export interface Shape {
  /** An empty one, in bytes. */
  readonly own: number;
  readonly byName: ReadonlyMap<string, DescField>;
  readonly byNumber: ReadonlyMap<number, DescField>;
}

/** Shapes by type, each made when it is met first. */
export function shapes(): (type: DescMessage) => Shape {
  const known = new Map<DescMessage, Shape>();
  return (type) => {
    let shape = known.get(type);
    if (shape === undefined) known.set(type, (shape = shapeFrom(type)));
    return shape;
  };
}

function shapeFrom(type: DescMessage): Shape {
  const alone = type.fields.filter(({ oneof }) => oneof === undefined);
  const containers = alone.filter(({ fieldKind }) => fieldKind === "list" || fieldKind === "map").length;
  return {
    own: dynamicBytes[type.typeName] ?? messageBytes + containerBytes * (containers + type.oneofs.length) + slotBytes * (alone.length - containers) * (alone.length > fewFields ? 2 : 1),
    byName: new Map(type.fields.flatMap((field) => [[field.name, field], [field.jsonName, field]])),
    byNumber: new Map(type.fields.map((field) => [field.number, field])),
  };
}

/** The types whose JSON is any JSON: there are many of them in one message, and each is small. */
const dynamicBytes: Readonly<Record<string, number>> = { "google.protobuf.Value": 56, "google.protobuf.Struct": 100, "google.protobuf.ListValue": 100 };

export function isDynamic({ typeName }: DescMessage): boolean {
  return Object.hasOwn(dynamicBytes, typeName);
}

/** An Any in another one is packed, and unpacked, as often as it is deep in others. */
export const deepestAny = 8;

/** The name of a type, of the URL that an Any has for it. */
export function typeNameOf(url: string): string {
  return url.slice(url.lastIndexOf("/") + 1);
}

export function isInteger(scalar: ScalarType | undefined): boolean {
  return scalar !== undefined && scalar !== ScalarType.DOUBLE && scalar !== ScalarType.FLOAT && scalar !== ScalarType.BOOL && scalar !== ScalarType.STRING && scalar !== ScalarType.BYTES;
}

export function isText(scalar: ScalarType | undefined): boolean {
  return scalar === ScalarType.STRING || scalar === ScalarType.BYTES;
}

/** Integers that protobuf-es keeps as bigints. */
export function isLong(scalar: ScalarType | undefined): boolean {
  return scalar === ScalarType.INT64 || scalar === ScalarType.UINT64 || scalar === ScalarType.SINT64 || scalar === ScalarType.FIXED64 || scalar === ScalarType.SFIXED64;
}
