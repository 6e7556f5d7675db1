import fc from "fast-check";
import { bytes, colour, inner, int32, int64, kinds, text, uint32, uint64 } from "../core/schema/kinds.ts";

type Json = null | boolean | number | string | readonly Json[] | { readonly [name: string]: Json };

/** Messages of test.protojson.v1.Every as JSON values in their canonical spelling; the same seed gives the same ones. */
export function sampleMessages(count: number, seed: number): Json[] {
  return fc.sample(every, { numRuns: count, seed }) as Json[];
}

const double = fc.oneof(fc.double({ noNaN: true, noDefaultInfinity: true }), fc.constantFrom<unknown>("NaN", "Infinity", "-Infinity", -0, 5e-324, Number.MAX_VALUE));
const float = fc.oneof(fc.float({ noNaN: true, noDefaultInfinity: true }), fc.constantFrom<unknown>("NaN", "Infinity", "-Infinity", -0, 2 ** -149, 3.4028234663852886e38));
const list = (item: fc.Arbitrary<unknown>) => fc.array(item, { minLength: 1, maxLength: 3 });
const map = (key: fc.Arbitrary<string>, value: fc.Arbitrary<unknown>) => fc.dictionary(key, value, { minKeys: 1, maxKeys: 3 });
const key = text.filter((k) => k !== "__proto__");

const { value } = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 3, withCrossShrink: true },
    fc.constant(null), fc.boolean(), text, fc.double({ noNaN: true, noDefaultInfinity: true }),
    fc.array(tie("value"), { maxLength: 3 }), fc.dictionary(key, tie("value"), { maxKeys: 3 }),
  ),
}));
const struct = map(key, value);

const fraction = fc.integer({ min: 0, max: 999_999_999 }).chain((nanos) => fc.constantFrom("", `.${String(nanos).padStart(9, "0")}`, `.${String(nanos % 1000).padStart(3, "0")}`));
const seconds = fc.oneof(fc.integer({ min: -62_135_596_800, max: 253_402_300_799 }), fc.constantFrom(-62_135_596_800, 253_402_300_799, 0, -1));
const timestamp = fc.tuple(seconds, fraction).map(([s, f]) => `${new Date(s * 1000).toISOString().slice(0, 19)}${f}Z`);
const duration = fc.tuple(fc.constantFrom("", "-"), fc.oneof(fc.integer({ min: 0, max: 315_575_999_999 }), fc.constantFrom(0, 315_575_999_999)), fraction)
  .map(([sign, s, f]) => `${sign}${s}${f}s`);
const mask = fc.constantFrom("", "a", "aString,inner.name", "byInt32.x", "aB.cD.eF");

const legacy = fc.record({
  needed: int64, withDefault: text, closed: fc.constantFrom("CLOSED_ONE", "CLOSED_TWO"), closeds: list(fc.constantFrom("CLOSED_ONE", "CLOSED_TWO")),
  grouped: fc.record({ inside: float }), maybeDouble: double, maybeBytes: bytes,
  "[test.protojson.v1.extended]": uint64, "[test.protojson.v1.extendeds]": list(text), "[test.protojson.v1.extended_message]": fc.record({ needed: int64 }),
}, { requiredKeys: ["needed"] });

const at = "type.googleapis.com/";
const known = (name: string, json: fc.Arbitrary<unknown>) => json.map((value) => ({ "@type": `${at}google.protobuf.${name}`, value }));
const flatAny = fc.oneof(
  inner.map((i) => ({ "@type": `${at}test.kinds.v1.Kinds.Inner`, ...(i as object) })), legacy.map((l) => ({ "@type": `${at}test.protojson.v1.Legacy`, ...l })),
  known("Duration", duration), known("Timestamp", timestamp), known("Int64Value", int64), known("DoubleValue", double), known("FloatValue", float),
  known("Struct", struct), known("Value", value), known("FieldMask", mask), known("BytesValue", bytes),
);
const any = fc.oneof(flatAny, known("Any", flatAny));

const fields: Readonly<Record<string, fc.Arbitrary<unknown>>> = {
  legacy, doubles: list(double), floats: list(float), int32s: list(int32), uint64s: list(uint64), bools: list(fc.boolean()),
  strings: list(text), bytess: list(bytes), colours: list(colour),
  byInt32: map(int32.map(String), double), byInt64Float: map(int64, float), byUint32: map(uint32.map(String), int64), byUint64: map(uint64, uint64),
  bySint32: map(int32.map(String), text), bySint64: map(int64, timestamp), byFixed32: map(uint32.map(String), duration), byFixed64: map(uint64, any),
  bySfixed32: map(int32.map(String), value), bySfixed64: map(int64, int64), byBool: map(fc.constantFrom("true", "false"), fc.boolean()), byString: map(key, struct),
  wrappedDouble: double, wrappedFloat: float, wrappedUint64: uint64, wrappedInt32: fc.oneof(int32, fc.constant(0)), wrappedUint32: uint32,
  wrappedBool: fc.boolean(), wrappedString: fc.string(), empty: fc.constant({}), list: fc.array(value, { maxLength: 4 }), null: fc.constant(null),
  values: list(value), anys: list(any), timestamps: list(timestamp), durations: list(duration), masks: list(mask), wrappedStrings: list(text),
  maybeDouble: fc.oneof(double, fc.constant(0)), maybeInt64: fc.oneof(int64, fc.constant("0")), maybeBool: fc.boolean(), maybeBytes: bytes, maybeColour: fc.constantFrom("COLOUR_UNSPECIFIED", 77),
  aliased: fc.constantFrom("ALIASED_OLD", "ALIASED_NEW", 1),
};

/** Up to 14 of the fields, so that a message stays small and meets all of them all the same. */
const some = fc.subarray(Object.keys(fields), { maxLength: 14 }).chain((names) => fc.record(Object.fromEntries(names.map((name) => [name, fields[name]!]))));
const every = fc.tuple(some, kinds, fc.integer({ min: 0, max: 3 })).map(([own, kinds, more]) => (more > 0 ? { kinds, ...own } : own));
