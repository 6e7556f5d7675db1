import { createFileRegistry, fromBinary, fromJson, type JsonValue, toBinary } from "@bufbuild/protobuf";
import { FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";
import fc from "fast-check";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { concat, utf8 } from "../../../worker/core/protocol/envelope.ts";
import { binaryFootprint } from "../../../worker/core/schema/binary-footprint.ts";
import { jsonFootprint, parsedBytes } from "../../../worker/core/schema/json-footprint.ts";
import { kinds } from "./kinds.ts";

const registry = createFileRegistry(fromBinary(FileDescriptorSetSchema, readFileSync(join(import.meta.dirname, "data/kinds.binpb"))));
const type = registry.getMessage("test.kinds.v1.Kinds")!;
const ofBinary = (data: Uint8Array) => binaryFootprint(registry, 400)(type, data);
const ofJson = (json: JsonValue) => jsonFootprint(registry)(type, json);
const MiB = 1 << 20;

const varint = (n: number): number[] => (n < 128 ? [n] : [(n & 127) | 128, ...varint(n >>> 7)]);
const field = (number: number, wire: number, bytes: Uint8Array): Uint8Array => concat([Uint8Array.from([...varint(number * 8 + wire), ...varint(bytes.length)]), Uint8Array.from(bytes)]);
const none = new Uint8Array(0);
/** Empty messages in the list `inners`. */
const many = (count: number) => concat(Array.from({ length: count }, () => Uint8Array.from([0xa2, 0x01, 0])));
const any = (inner: Uint8Array, ...more: Uint8Array<ArrayBuffer>[]) => concat([field(1, 2, utf8("t/test.kinds.v1.Kinds")) as Uint8Array<ArrayBuffer>, field(2, 2, inner) as Uint8Array<ArrayBuffer>, ...more]);

describe("what protobuf takes", () => {
  test("is of the size of what protobuf-es makes, whatever the message: more than its bytes, and not a thousand times as many", () => {
    fc.assert(fc.property(kinds, (json) => {
      const data = toBinary(type, fromJson(type, json as JsonValue, { registry }));
      expect(ofBinary(data)).toBeGreaterThan(data.length);
      expect(ofBinary(data)).toBeLessThan(20_000 + 1000 * data.length);
    }), { numRuns: 500 });
  });

  test("grows with empty messages, with fields that nobody knows, and with text that JSON has to escape", () => {
    expect(ofBinary(many(100_000))).toBeGreaterThan(18 * MiB);
    expect(ofBinary(concat(Array.from({ length: 100_000 }, () => Uint8Array.from([0xc0, 0x3e, 1]))))).toBeGreaterThan(18 * MiB);
    expect(ofBinary(field(14, 2, new Uint8Array(MiB).fill(1)))).toBeGreaterThan(12 * MiB);
    expect(ofBinary(field(14, 2, new Uint8Array(MiB).fill(97)))).toBeLessThan(2 * MiB);
    expect(ofBinary(field(19, 2, new Uint8Array(MiB).fill(1)))).toBeGreaterThan(35 * MiB);
  });

  test("is reckoned inside of an Any as well, whatever else stands there", () => {
    for (const more of [[], [field(3, 2, none) as Uint8Array<ArrayBuffer>]]) expect(ofBinary(field(29, 2, any(many(100_000), ...more)))).toBeGreaterThan(18 * MiB);
    let deep = any(none);
    for (let i = 0; i < 20; i++) deep = concat([field(1, 2, utf8("t/google.protobuf.Any")) as Uint8Array<ArrayBuffer>, field(2, 2, deep) as Uint8Array<ArrayBuffer>]);
    expect(() => ofBinary(field(29, 2, deep))).toThrow("an Any in an Any too deeply");
  });

  test.each([
    ["a group's end where none has begun", concat([Uint8Array.of(0x0c), many(3)])],
    ["a message that says it is a number", field(31, 0, field(6, 2, none))],
    ["a map's entry that says so", field(21, 0, none)],
    ["a map's value that says so", field(21, 2, Uint8Array.from([0x0a, 1, 97, 0x10, 0]))],
    ["an Any whose value says so", field(29, 2, concat([field(1, 2, utf8("t/test.kinds.v1.Kinds")) as Uint8Array<ArrayBuffer>, field(2, 0, many(1)) as Uint8Array<ArrayBuffer>]))],
    ["a text that says so", Uint8Array.of(0x70, 1)],
    ["a length beyond the end", Uint8Array.of(0xa2, 0x01, 0xff, 0xff, 0xff, 0xff, 0x0f)],
    ["a field beyond the end of its message", Uint8Array.of(0x8a, 0x01, 0x02, 0x0a, 0x05, 97, 97, 97, 97, 97)],
    ["messages in messages beyond all levels", Array.from({ length: 500 }).reduce<Uint8Array>((inner) => field(2, 2, inner), none)],
  ])("is nothing to be found where the bytes are no message: %s", (what, bytes) => {
    expect(() => ofBinary(what.startsWith("messages") ? field(17, 2, bytes) : bytes)).toThrow();
  });
});

describe("what JSON takes", () => {
  test("is of the size of what is made of it", () => {
    fc.assert(fc.property(kinds, (json) => {
      const text = utf8(JSON.stringify(json));
      expect(ofJson(json as JsonValue) + parsedBytes(text)).toBeLessThan(60_000 + 1000 * text.length);
    }), { numRuns: 500 });
  });

  test("grows with what is small in JSON, and with names that are met once", () => {
    expect(ofJson({ inners: Array.from({ length: 100_000 }, () => ({})) })).toBeGreaterThan(18 * MiB);
    expect(ofJson({ mask: ",".repeat(MiB) })).toBeGreaterThan(18 * MiB);
    expect(parsedBytes(utf8(`[${"{},".repeat(MiB)}{}]`))).toBeGreaterThan(50 * MiB);
    expect(parsedBytes(utf8(`[${Array.from({ length: 50_000 }, (_, i) => `{"k${i}":0}`).join(",")}]`))).toBeGreaterThan(35 * MiB);
    expect(parsedBytes(utf8(`[${Array.from({ length: 50_000 }, () => '{"k":0}').join(",")}]`))).toBeLessThan(6 * MiB);
  });

  test("leaves out what stands in text", () => expect(parsedBytes(utf8(JSON.stringify(`{"[,:\\"${"{[,:".repeat(1000)}`)))).toBe(0));

  test.each([
    { anInt64: "9".repeat(1001) }, { wrapped: "9".repeat(1001) }, { numbers: ["9".repeat(1001)] }, { byNumber: { ["9".repeat(1001)]: "" } }, { any: { "@type": "t/google.protobuf.Int64Value", value: "9".repeat(1001) } },
    { anInt32: "9".repeat(1001) }, { struct: { a: Infinity } }, { x: -Infinity }, { aString: "\ud800" }, { x: { y: ["\ud800"] } }, { byName: { "\ud800": {} } },
  ] as readonly JsonValue[])("is nothing to be found where no message can hold it: %j", (json) => void expect(() => ofJson(json)).toThrow());

  test("is not looked for in an Any in an Any in an Any and so on", () => {
    const deep = Array.from({ length: 20 }).reduce<JsonValue>((value) => ({ "@type": "t/google.protobuf.Any", value }), { "@type": "t/google.protobuf.Duration", value: "1s" });
    expect(() => ofJson({ any: deep })).toThrow("an Any in an Any too deeply");
  });
});
