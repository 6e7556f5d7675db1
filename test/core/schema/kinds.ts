import fc from "fast-check";

/** JSON as protojson writes it: 64-bit numbers as text, bytes in base64, defaults left out. */
export const int32 = fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }).filter((n) => n !== 0);
export const uint32 = fc.integer({ min: 1, max: 2 ** 32 - 1 });
export const int64 = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }).filter((n) => n !== 0n).map(String);
export const uint64 = fc.bigInt({ min: 1n, max: 2n ** 64n - 1n }).map(String);
export const text = fc.string({ unit: "grapheme", minLength: 1 }).map((s) => s.toWellFormed());
export const bytes = fc.uint8Array({ minLength: 1, maxLength: 40 }).map((b) => Buffer.from(b).toString("base64"));
export const colour = fc.constantFrom("COLOUR_RED", "COLOUR_NEGATIVE", 77);
export const inner = fc.record({ name: text }, { requiredKeys: ["name"] }).chain((i) => fc.constantFrom<unknown>(i, { inner: i }, {}));
export const double = fc.oneof(fc.double({ noNaN: true, noDefaultInfinity: true }).filter((n) => n !== 0), fc.constantFrom("NaN", "Infinity", "-Infinity"));
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

/** A message of test.kinds.v1.Kinds, any of its fields set. */
export const kinds = fc.record(fields, { requiredKeys: [] }).chain((base) =>
  fc.oneof(fc.constant({}), text.map((t) => ({ text: t })), inner.map((nested) => ({ nested }))).map((choice) => ({ ...base, ...choice })),
);
