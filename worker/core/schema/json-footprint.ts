import { type DescExtension, type DescMessage, type JsonValue, type Registry } from "@bufbuild/protobuf";
import { costs, deepestAny, type Field, isDynamic, isInteger, isLong, shapes, typeNameOf } from "./shapes.ts";

/** Digits that 64 bits may be written with: beyond it `BigInt` would take seconds to find out. */
const mostDigits = 1000;
/** Levels that are looked at: whoever reads the message refuses fewer. */
const deepest = 1000;

interface At {
  /** The name of the nearest field or key. */
  readonly name: string;
  readonly depth: number;
  /** How many Any are around it. */
  readonly anys: number;
}

/** Reckons what a message of JSON takes in memory, in bytes, before it is made; throws where it is something that no message can hold. */
export function jsonFootprint(registry: Registry): (type: DescMessage, json: JsonValue) => number {
  const shapeOf = shapes();

  function message(type: DescMessage, json: JsonValue, at: At): number {
    const { own, byName } = shapeOf(type);
    if (isDynamic(type)) return own + dynamic(json, at);
    if (type.typeName === "google.protobuf.FieldMask" && typeof json === "string") return own + leaf(json, at.name) + costs.text * json.split(",").length;
    if (!isObject(json)) return own + (byName.get("value") === undefined ? leaf(json, at.name) : value(byName.get("value")!, json, at));
    if (at.depth > deepest) throw new Error("it is nested too deeply");
    if (type.typeName === "google.protobuf.Any") return own + any(json, at);
    let sum = own;
    for (const key in json) {
      const field = byName.get(key) ?? extensionOf(key);
      sum += field === undefined ? unknown(json[key]!, { ...at, name: key }) : value(field, json[key]!, { ...at, name: key });
    }
    return sum;
  }

  function any(json: JsonObject, { name, depth, anys }: At): number {
    if (anys >= deepestAny) throw new Error("it has an Any in an Any too deeply");
    const url = json["@type"];
    const type = typeof url === "string" ? registry.getMessage(typeNameOf(url)) : undefined;
    if (type === undefined) return 0;
    const inner = type.typeName.startsWith("google.protobuf.") && "value" in json ? json["value"]! : json;
    return 2 * message(type, inner, { name, depth: depth + 1, anys: anys + 1 });
  }

  function value(field: Field, json: JsonValue, at: At): number {
    if (field.fieldKind === "list" && Array.isArray(json)) return json.reduce<number>((sum, one) => sum + element(field, one, at), 0);
    if (field.fieldKind !== "map" || !isObject(json)) return element(field, json, at);
    let sum = 0;
    for (const key in json) {
      if (isInteger(field.mapKey)) checkDigits(key, at.name);
      sum += costs.entry + leaf(key, at.name) + element(field, json[key]!, { ...at, name: key });
    }
    return sum;
  }

  function element(field: Field, json: JsonValue, at: At): number {
    if (field.message !== undefined) return message(field.message, json, { ...at, depth: at.depth + 1 });
    if (isInteger(field.scalar)) checkDigits(json, at.name);
    return leaf(json, at.name) + (isLong(field.scalar) ? costs.bigint : 0);
  }

  /** `[package.extension]` */
  function extensionOf(key: string): DescExtension | undefined {
    return key.startsWith("[") ? registry.getExtension(key.slice(1, -1)) : undefined;
  }

  return (type, json) => message(type, json, { name: "", depth: 0, anys: 0 });
}

type JsonObject = { readonly [key: string]: JsonValue };

function isObject(json: JsonValue): json is { [key: string]: JsonValue } {
  return typeof json === "object" && json !== null && !Array.isArray(json);
}

/** JSON of a Value: two objects, and what it holds; where that is a Struct or a ListValue, two more. */
function dynamic(json: JsonValue, at: At): number {
  if (typeof json !== "object" || json === null) return 56 + leaf(json, at.name);
  if (at.depth > deepest) throw new Error("it is nested too deeply");
  const inner = { ...at, depth: at.depth + 1 };
  if (Array.isArray(json)) return json.reduce<number>((all, one) => all + dynamic(one, inner), 200);
  let sum = 200;
  for (const key in json) sum += costs.entry + leaf(key, key) + dynamic(json[key]!, { ...inner, name: key });
  return sum;
}

/** What the schema does not know is left out, and takes nothing; but what is no JSON is refused wherever it stands. */
function unknown(json: JsonValue, at: At): 0 {
  leaf(at.name, at.name);
  dynamic(json, at);
  return 0;
}

/** What neither a double nor text in UTF-8 can be is refused: written in protobuf it would be something else. */
function leaf(json: JsonValue, name: string): number {
  if (typeof json !== "string") {
    if (json === Infinity || json === -Infinity) throw new Error(`the number of ${quoted(name)} must be in the range of a double`);
    return costs.leaf;
  }
  if (!json.isWellFormed()) throw new Error(`the text of ${quoted(name)} must be Unicode, without half a surrogate pair`);
  return costs.text + json.length;
}

function checkDigits(json: JsonValue, name: string): void {
  if (typeof json === "string" && json.length > mostDigits) throw new Error(`${quoted(name)} must be an integer of at most ${mostDigits} digits`);
}

function quoted(name: string): string {
  return JSON.stringify(name.slice(0, 100));
}

const [quote, backslash, brace, bracket, comma, colon] = [0x22, 0x5c, 0x7b, 0x5b, 0x2c, 0x3a];

/**
 * What JSON takes once it is parsed, in bytes, reckoned from its text: braces, brackets, commas and colons outside of strings. Each name that is
 * met for the first time may be the shape of another object, which V8 keeps for itself.
 */
export function parsedBytes(text: Uint8Array): number {
  const names = new Set<number>();
  let bytes = 0;
  let quotedNow = false;
  let hash = 0;
  for (let i = 0; i < text.length; i++) {
    const char = text[i]!;
    if (char === quote) {
      quotedNow = !quotedNow;
      if (quotedNow) hash = 0;
    } else if (quotedNow) {
      hash = (Math.imul(hash, 31) + char) | 0;
      if (char === backslash) i++;
    } else if (char === brace || char === bracket) bytes += 56;
    else if (char === comma) bytes += 16;
    else if (char === colon) {
      bytes += names.has(hash) ? 16 : 816;
      names.add(hash);
    }
  }
  return bytes;
}
