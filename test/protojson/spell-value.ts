import { type DescEnum, ScalarType } from "@bufbuild/protobuf";
import type { Reason } from "./known.ts";

/** How to choose among spellings. */
export interface Spelling {
  chance(probability: number): boolean;
  pick<T>(...choices: readonly T[]): T;
  /** Whether to spell in a way that shows a known difference. */
  hard(reason: Reason): boolean;
}

/** Spells a scalar, given as protojson writes it. */
export function scalar(s: Spelling, type: ScalarType, json: unknown): string {
  switch (type) {
    case ScalarType.BOOL: return String(json);
    case ScalarType.STRING: return quote(s, String(json));
    case ScalarType.BYTES: return quote(s, base64(s, String(json)));
    case ScalarType.DOUBLE:
    case ScalarType.FLOAT: return typeof json === "number" ? quotedOrNot(s, number(s, json)) : quote(s, String(json));
    case ScalarType.INT64:
    case ScalarType.SINT64:
    case ScalarType.SFIXED64:
    case ScalarType.UINT64:
    case ScalarType.FIXED64: return long(s, String(json));
    default: return quotedOrNot(s, s.pick(`${json}`, `${json}`, `${json}.0`, `${json}e0`, `${json === 0 ? "" : json}0E-1`, `${json}.00e+00`));
  }
}

function quotedOrNot(s: Spelling, text: string): string {
  return s.chance(0.4) ? `"${text}"` : text;
}

function long(s: Spelling, digits: string): string {
  if (s.hard("quoted exponent")) return s.pick(`"${digits}e0"`, `"${digits}.0"`);
  const safe = Number.isSafeInteger(Number(digits)) || s.hard("unquoted 64-bit integer");
  return safe ? s.pick(digits, `"${digits}"`, `${digits}.0`, `${digits}e0`) : `"${digits}"`;
}

function number(s: Spelling, n: number): string {
  if (Object.is(n, -0)) return s.pick("-0", "-0.0", "-0e5");
  return s.pick(String(n), String(n), n.toExponential(), n.toExponential().replace("e", "E"));
}

function base64(s: Spelling, text: string): string {
  const url = s.chance(0.3) ? text.replaceAll("+", "-").replaceAll("/", "_") : text;
  return s.chance(0.3) ? url.replaceAll("=", "") : url;
}

/** Spells an enum value by name or number. */
export function enumeration(s: Spelling, type: DescEnum, json: unknown): string {
  if (json === null) return "null";
  const number = typeof json === "number" ? json : type.values.find(({ name }) => name === json)!.number;
  return typeof json === "number" || s.chance(0.4) ? s.pick(String(number), `${number}.0`, `${number}e0`) : quote(s, String(json));
}

/** Spells JSON that has no schema, where only the text of numbers, strings and space is free. */
export function plain(s: Spelling, json: unknown): string {
  if (typeof json === "number") return number(s, json);
  if (typeof json === "string") return quote(s, json);
  if (Array.isArray(json)) return spread(s, "[", json.map((item) => plain(s, item)), "]");
  if (typeof json === "object" && json !== null) return spread(s, "{", Object.entries(json).map(([key, item]) => `${quote(s, key)}:${plain(s, item)}`), "}");
  return String(json);
}

/** A string, at times with characters escaped that need not be. */
export function quote(s: Spelling, text: string): string {
  if (s.chance(0.85)) return JSON.stringify(text);
  return `"${[...text].map((c) => (s.chance(0.4) ? escaped(s, c) : JSON.stringify(c).slice(1, -1))).join("")}"`;
}

function escaped(s: Spelling, character: string): string {
  if (character === "/") return "\\/";
  const units = Array.from({ length: character.length }, (_, i) => character.charCodeAt(i).toString(16).padStart(4, "0"));
  return units.map((unit) => `\\u${s.chance(0.5) ? unit.toUpperCase() : unit}`).join("");
}

/** Joins the parts of an object or array, with or without space. */
export function spread(s: Spelling, open: string, parts: readonly string[], close: string): string {
  const space = s.pick("", "", "", " ", "\n\t", "\r\n");
  return `${open}${space}${parts.join(`${space},${space}`)}${space}${close}`;
}
