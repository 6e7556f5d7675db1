import { readFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { concat, utf8 } from "../../../worker/core/protocol/envelope.ts";
import { recoders } from "../../../worker/core/schema/recode.ts";
import { kinds } from "./kinds.ts";

const descriptors = readFileSync(join(import.meta.dirname, "data/kinds.binpb")).toString("base64");
const echo = recoders(descriptors)("/test.kinds.v1.KindsService/Echo")!;
const free = () => {};
const toProto = (data: Uint8Array<ArrayBuffer>) => echo.input("json")(data, free);
const toJson = (data: Uint8Array<ArrayBuffer>) => echo.output("proto")(data, free);
const read = (bytes: Uint8Array): unknown => JSON.parse(new TextDecoder().decode(bytes));
const thereAndBack = (json: unknown): unknown => read(toJson(toProto(utf8(JSON.stringify(json)))));

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

  test.each(['{"value":1e400}', '{"value":"\\ud800"}', '{"anInt32":"x"}', '{"anInt32":2147483648}', '{"someBytes":"!"}', '{"at":"yesterday"}', "[]", "1", "", "{", '{"any":{"@type":"type.googleapis.com/no.Such"}}'])(
    "%s is refused", (json) => expect(() => toProto(utf8(json))).toThrow());

  test("loses fields and enum names that the descriptors do not know, as a connect-go origin has it", () => {
    expect(thereAndBack({ unknown: { a: [1] }, anInt32: 1, colour: "PINK" })).toEqual({ anInt32: 1 });
  });

  test("of a depth that can be read can be written again", () => {
    const deep = JSON.parse(`{"struct":${'{"a":'.repeat(90)}1${"}".repeat(91)}`);
    expect(thereAndBack(deep)).toEqual(deep);
  });

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
