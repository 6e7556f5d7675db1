import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { base64Decode, base64Decoder, base64Encode, base64EncodeUnpadded } from "../../../worker/core/protocol/base64.ts";
import { utf8 } from "../../../worker/core/protocol/envelope.ts";
import { grpcMessageDecode, grpcMessageEncode } from "../../../worker/core/protocol/grpc-message.ts";
import { connectTimeoutFromMs, connectTimeoutToMs, grpcTimeoutFromMs, grpcTimeoutToMs } from "../../../worker/core/protocol/timeout.ts";

describe("base64", () => {
  test("is read in both alphabets, padded or not", () => {
    fc.assert(
      fc.property(fc.uint8Array(), (bytes) => {
        const url = base64EncodeUnpadded(bytes).replaceAll("+", "-").replaceAll("/", "_");
        for (const text of [base64Encode(bytes), base64EncodeUnpadded(bytes), url]) expect([...base64Decode(text)!]).toEqual([...bytes]);
        expect(base64Encode(bytes)).toBe(Buffer.from(bytes).toString("base64"));
      }),
    );
  });

  test.each(["a", "a===", "ab=c", "=", "a b c d", "äöü="])("refuses %j", (text) => expect(base64Decode(text)).toBeUndefined());

  test("of grpc-web-text is decoded with padding anywhere and chunks cut anywhere", () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 20 })), fc.integer({ min: 1, max: 9 }), (parts, step) => {
        const text = utf8(parts.map((part) => base64Encode(part)).join(""));
        const decoder = base64Decoder();
        const out: number[] = [];
        for (let at = 0; at < text.length; at += step) out.push(...decoder.push(text.slice(at, at + step)));
        decoder.finish();
        expect(out).toEqual(parts.flatMap((part) => [...part]));
      }),
    );
  });

  test("of grpc-web-text that ends inside a quantum, or is no base64, is refused", () => {
    const half = base64Decoder();
    half.push(utf8("AAAAAA"));
    expect(() => half.finish()).toThrow(RangeError);
    expect(() => base64Decoder().push(utf8("A!AA"))).toThrow(RangeError);
    expect(() => base64Decoder().push(utf8("A=AA"))).toThrow(RangeError);
  });
});

describe("grpc-message", () => {
  test("carries any text through printable ASCII", () => {
    fc.assert(
      fc.property(fc.string({ unit: "grapheme" }), (text) => {
        const encoded = grpcMessageEncode(text);
        expect(encoded).toMatch(/^[\x20-\x7e]*$/);
        expect(grpcMessageDecode(encoded)).toBe(text.toWellFormed());
      }),
    );
  });

  test("that is malformed is read as far as it goes", () => {
    expect(grpcMessageDecode("100%")).toBe("100%");
    expect(grpcMessageDecode("%zz %C3%A4 %C3")).toBe("%zz ä \ufffd");
  });
});

describe("time-outs", () => {
  test.each([["9000m", 9000], ["8999932u", 8999.932], ["9S", 9000], ["1H", 3_600_000], ["99999999n", 99.999999], ["0m", 0]])(
    "grpc-timeout %s is %d ms", (text, ms) => expect(grpcTimeoutToMs(text)).toBeCloseTo(ms, 6));
  test.each(["", "9", "m", "123456789m", "-1m", "1.5S", "1s"])("grpc-timeout %j is refused", (text) => expect(grpcTimeoutToMs(text)).toBeUndefined());
  test.each(["", "-1", "1.5", "12345678901", "1e3"])("connect-timeout-ms %j is refused", (text) => expect(connectTimeoutToMs(text)).toBeUndefined());

  test("never grow on their way", () => {
    fc.assert(
      fc.property(fc.double({ min: 0, max: 1e11, noNaN: true }), (ms) => {
        expect(grpcTimeoutToMs(grpcTimeoutFromMs(ms))!).toBeLessThanOrEqual(ms);
        expect(connectTimeoutToMs(connectTimeoutFromMs(ms))!).toBeLessThanOrEqual(ms);
      }),
    );
  });
});
