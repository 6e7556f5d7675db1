import { readFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { concat, utf8 } from "../../../worker/core/protocol/envelope.ts";
import { recoders } from "../../../worker/core/schema/recode.ts";

const descriptors = readFileSync(join(import.meta.dirname, "data/kinds.binpb")).toString("base64");
const echo = recoders(descriptors)("/test.kinds.v1.KindsService/Echo")!;
const toProto = echo.input("json");
const toJson = echo.output("proto");
const read = (bytes: Uint8Array): unknown => JSON.parse(new TextDecoder().decode(bytes));
const thereAndBack = (json: unknown): unknown => read(toJson(toProto(utf8(JSON.stringify(json)))));

/** JSON as protojson writes it: 64-bit numbers as text, bytes in base64, defaults left out. */
const int32 = fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }).filter((n) => n !== 0);
const uint32 = fc.integer({ min: 1, max: 2 ** 32 - 1 });
const int64 = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }).filter((n) => n !== 0n).map(String);
const uint64 = fc.bigInt({ min: 1n, max: 2n ** 64n - 1n }).map(String);
const text = fc.string({ unit: "grapheme", minLength: 1 }).map((s) => s.toWellFormed());
const bytes = fc.uint8Array({ minLength: 1, maxLength: 40 }).map((b) => Buffer.from(b).toString("base64"));
const colour = fc.constantFrom("COLOUR_RED", "COLOUR_NEGATIVE", 77);
const inner = fc.record({ name: text }, { requiredKeys: ["name"] }).chain((i) => fc.constantFrom<unknown>(i, { inner: i }, {}));
const double = fc.oneof(fc.double({ noNaN: true, noDefaultInfinity: true }).filter((n) => n !== 0), fc.constantFrom("NaN", "Infinity", "-Infinity"));
const value = fc.oneof(fc.constant(null), fc.boolean(), text, fc.double({ noNaN: true, noDefaultInfinity: true }).filter((n) => !Object.is(n, -0)));
const seconds = fc.integer({ min: 0, max: 253_402_300_799 });

const fields = {
  aDouble: double, aFloat: fc.float({ noNaN: true, noDefaultInfinity: true }).filter((n) => n !== 0 && Math.abs(n) > 1e-30), anInt32: int32, anInt64: int64,
  aUint32: uint32, aUint64: uint64, aSint32: int32, aSint64: int64, aFixed32: uint32, aFixed64: uint64, aSfixed32: int32, aSfixed64: int64,
  aBool: fc.constant(true), aString: text, someBytes: bytes, colour, inner, maybe: fc.oneof(text, fc.constant("")),
  numbers: fc.array(int64, { minLength: 1, maxLength: 4 }), inners: fc.array(inner, { minLength: 1, maxLength: 3 }),
  byName: fc.dictionary(text.filter((k) => k !== "__proto__"), inner, { minKeys: 1, maxKeys: 3 }), byNumber: fc.dictionary(int64, bytes, { minKeys: 1, maxKeys: 3 }),
  byTruth: fc.constantFrom({ true: "COLOUR_RED" }, { false: "COLOUR_UNSPECIFIED" }),
  at: seconds.map((s) => new Date(s * 1000).toISOString().replace(".000Z", "Z")), lasting: fc.integer({ min: -1e9, max: 1e9 }).map((s) => `${s}s`),
  any: fc.record({ "@type": fc.constant("type.googleapis.com/test.kinds.v1.Kinds.Inner"), name: text }),
  struct: fc.dictionary(text.filter((k) => k !== "__proto__"), value, { minKeys: 1, maxKeys: 3 }), value, mask: fc.constantFrom("a", "aString,inner.name"), wrapped: int64, wrappedBytes: bytes, otherName: text,
};
const kinds = fc.record(fields, { requiredKeys: [] }).chain((base) =>
  fc.oneof(fc.constant({}), text.map((t) => ({ text: t })), inner.map((nested) => ({ nested }))).map((choice) => ({ ...base, ...choice })),
);

describe("a JSON message", () => {
  test("reaches protobuf and comes back as the same values, whatever its fields (10,000 messages)", () => {
    fc.assert(fc.property(kinds, (json) => void expect(thereAndBack(json)).toEqual(json)), { numRuns: 10_000 });
  }, 60_000);

  test("may write names and numbers in every form that ProtoJSON allows", () => {
    expect(thereAndBack({ an_int64: 5, anInt32: "7", some_bytes: "_-8", colour: 1, renamed: "x" })).toEqual({
      anInt64: "5", anInt32: 7, someBytes: "/+8=", colour: "COLOUR_RED", otherName: "x",
    });
  });

  test("may be null where a field is left out, and null where null is a value", () => {
    expect(thereAndBack({ aString: null, inner: null, wrapped: null, value: null })).toEqual({ value: null });
  });

  test.each(['{"unknown":1}', '{"anInt32":"x"}', '{"anInt32":2147483648}', '{"someBytes":"!"}', '{"colour":"PINK"}', '{"at":"yesterday"}', "[]", "1", "", "{", '{"any":{"@type":"type.googleapis.com/no.Such"}}'])(
    "%s is refused", (json) => expect(() => toProto(utf8(json))).toThrow());

  test("that is no UTF-8 is refused", () => expect(() => toProto(Uint8Array.of(0x22, 0xff, 0x22))).toThrow());
});

describe("a protobuf message", () => {
  test("with unknown fields loses only those", () => {
    const known = toProto(utf8('{"aString":"a"}'));
    expect(read(toJson(concat([known, Uint8Array.of(0xc0, 0x3e, 1)])))).toEqual({ aString: "a" });
  });
  test("that is cut is refused", () => expect(() => toJson(toProto(utf8('{"aString":"abc"}')).slice(0, 3))).toThrow());
});

test("a method that no descriptor describes has no recoder", () => {
  expect(recoders(descriptors)("/test.kinds.v1.KindsService/Other")).toBeUndefined();
  expect(recoders(null)("/test.kinds.v1.KindsService/Echo")).toBeUndefined();
});
