import type { DescField, DescMessage, Registry } from "@bufbuild/protobuf";
import type { Item } from "./judge.ts";
import type { Reason } from "./known.ts";
import { enumeration, plain, quote, scalar, type Spelling, spread } from "./spell-value.ts";

interface SpellOptions {
  readonly registry: Registry;
  readonly random: () => number;
  readonly hard: Reason | undefined;
}

/** The known differences that a spelling may be asked to show. */
export const hardReasons = ["unquoted 64-bit integer", "quoted exponent", "null beside a oneof's choice", "URL of an Any", "unknown field"] as const satisfies Reason[];

/**
 * Spells a message, given as JSON in its canonical form, in one of the many ways that ProtoJSON allows: names, nulls,
 * order, space, and what spell-value.ts has. `random` gives numbers from 0 up to 1. A spelling that shows a known
 * difference between the two sides is used only where that is the `hard` one; the item then says so.
 */
export function spell(type: DescMessage, json: unknown, { registry, random, hard }: SpellOptions): Item {
  const notes = new Set<Reason>();
  const s: Spelling = {
    chance: (p) => random() < p,
    pick: (...choices) => choices[Math.floor(random() * choices.length)]!,
    hard: (reason) => {
      const taken = reason === hard && random() < 0.5;
      if (taken) notes.add(reason);
      return taken;
    },
  };
  return { text: message(s, registry, type, json), notes };
}

function message(s: Spelling, registry: Registry, type: DescMessage, json: unknown): string {
  switch (type.typeName) {
    case "google.protobuf.Any": return any(s, registry, json as Record<string, unknown>);
    case "google.protobuf.Timestamp": return quote(s, timestamp(s, json as string));
    case "google.protobuf.Duration": return quote(s, fraction(s, json as string, "s"));
    case "google.protobuf.FieldMask": return quote(s, json as string);
    case "google.protobuf.Struct":
    case "google.protobuf.Value":
    case "google.protobuf.ListValue": return plain(s, json);
    default: {
      const [value] = type.fields;
      const wrapper = type.file.proto.name === "google/protobuf/wrappers.proto";
      return wrapper ? scalar(s, value!.scalar!, json) : spread(s, "{", members(s, registry, type, json as object), "}");
    }
  }
}

function members(s: Spelling, registry: Registry, type: DescMessage, json: object): string[] {
  const set = Object.entries(json).map(([name, value]) => {
    const extension = name.startsWith("[") ? registry.getExtension(name.slice(1, -1)) : undefined;
    const field = extension ?? type.fields.find(({ jsonName }) => jsonName === name);
    if (field === undefined) throw new Error(`Cannot spell ${name} as it must be a field of ${type.typeName}`);
    return `${quote(s, extension === undefined ? s.pick(name, field.name) : name)}:${fieldValue(s, registry, field as DescField, value)}`;
  });
  const out = [...set, ...nulls(s, type, json)];
  if (s.hard("unknown field")) out.push(`"nowhere":${s.pick("1", "[{}]", "null")}`);
  return shuffled(s, out);
}

/** Up to two fields that are not set, as null; for a Value or NullValue null is a value. */
function nulls(s: Spelling, type: DescMessage, json: object): string[] {
  const unset = type.fields.filter(({ jsonName, message, enum: type }) => !(jsonName in json) && message?.typeName !== "google.protobuf.Value" && type?.typeName !== "google.protobuf.NullValue");
  const chosen = unset.filter(({ oneof, message }) => (oneof !== undefined && message !== undefined ? s.hard("null beside a oneof's choice") : s.chance(0.05)));
  return chosen.slice(0, 2).map((field) => `${quote(s, s.pick(field.name, field.jsonName))}:null`);
}

function fieldValue(s: Spelling, registry: Registry, field: DescField, value: unknown): string {
  switch (field.fieldKind) {
    case "list": return spread(s, "[", (value as unknown[]).map((item) => one(s, registry, field, item)), "]");
    case "map": return spread(s, "{", shuffled(s, Object.entries(value as object).map(([key, item]) => `${quote(s, key)}:${one(s, registry, field, item)}`)), "}");
    default: return one(s, registry, field, value);
  }
}

function one(s: Spelling, registry: Registry, field: DescField, value: unknown): string {
  if (field.message !== undefined) return message(s, registry, field.message, value);
  return field.enum === undefined ? scalar(s, field.scalar!, value) : enumeration(s, field.enum, value);
}

function any(s: Spelling, registry: Registry, json: Record<string, unknown>): string {
  const { "@type": url, ...rest } = json;
  const name = String(url).split("/").at(-1)!;
  const type = registry.getMessage(name);
  if (type === undefined) throw new Error(`Cannot spell an Any as its type must be known: current value is ${name}`);
  const named = s.hard("URL of an Any") ? s.pick(`a.test/${name}`, `/${name}`) : String(url);
  const own = name.startsWith("google.protobuf.") ? [`${quote(s, "value")}:${message(s, registry, type, rest["value"])}`] : members(s, registry, type, rest);
  return spread(s, "{", shuffled(s, [`${quote(s, "@type")}:${quote(s, named)}`, ...own]), "}");
}

/** The same instant with other zeros, or from another zone. */
function timestamp(s: Spelling, text: string): string {
  const written = fraction(s, text, "Z");
  const year = Number(text.slice(0, 4));
  if (year < 2 || year > 9998 || s.chance(0.7)) return written.replace("Z", s.pick("Z", "Z", "+00:00", "-00:00"));
  const minutes = s.pick(60, 90, -330, 14 * 60, -(23 * 60 + 59));
  const local = new Date(Date.parse(`${text.slice(0, 19)}Z`) + minutes * 60_000).toISOString().slice(0, 19);
  const [hour, minute] = [Math.floor(Math.abs(minutes) / 60), Math.abs(minutes) % 60].map((n) => String(n).padStart(2, "0"));
  return `${local}${written.slice(19, -1)}${minutes < 0 ? "-" : "+"}${hour}:${minute}`;
}

/** Another number of zeros at the end of a fraction of seconds, up to nine digits in all. */
function fraction(s: Spelling, text: string, end: "s" | "Z"): string {
  const [whole = "", digits = ""] = text.slice(0, -1).split(".");
  const short = s.chance(0.5) ? digits.replace(/0+$/, "") : digits;
  const long = s.chance(0.3) ? short.padEnd(s.pick(1, 3, 6, 9), "0") : short;
  return `${whole}${long === "" ? "" : `.${long}`}${end}`;
}

function shuffled<T>(s: Spelling, items: readonly T[]): T[] {
  return items.map((item) => ({ item, at: s.pick(0, 1, 2, 3, 4) })).toSorted((a, b) => a.at - b.at).map(({ item }) => item);
}
