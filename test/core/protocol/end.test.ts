import { Code as ConnectCode, ConnectError } from "@connectrpc/connect";
import { endStreamFromJson, errorFromJson as oracleErrorFromJson } from "@connectrpc/connect/protocol-connect";
import { findTrailerError } from "@connectrpc/connect/protocol-grpc";
import { trailerParse } from "@connectrpc/connect/protocol-grpc-web";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Code, codes, codeFromHttpStatus } from "../../../worker/core/protocol/code.ts";
import { endFromEndStream, endStreamFrame, errorFromBody, errorToJson } from "../../../worker/core/protocol/connect-end.ts";
import type { End } from "../../../worker/core/protocol/end.ts";
import { fromUtf8, prefixLength, utf8 } from "../../../worker/core/protocol/envelope.ts";
import { Fields } from "../../../worker/core/protocol/fields.ts";
import { endFromTrailerBlock, endFromTrailers, parseTrailerBlock, trailerFrame } from "../../../worker/core/protocol/trailers.ts";
import { statusDetailsFromBinary } from "../../../worker/core/protocol/status-details.ts";

const errorCode = fc.constantFrom(...codes.filter((code) => code !== "ok"));
const detail = fc.record({ type: fc.stringMatching(/^[a-z]{1,8}\.v1\.[A-Z][a-z]{1,8}$/), value: fc.uint8Array({ maxLength: 200 }) });
const metadata = fc.dictionary(fc.stringMatching(/^x-[a-z]{1,8}$/), fc.stringMatching(/^[!-~]{1,20}$/)).map((pairs) => new Fields(pairs));
const failed: fc.Arbitrary<End> = fc.record({
  code: errorCode as fc.Arbitrary<Code>,
  message: fc.string({ unit: "grapheme" }).map((text) => text.toWellFormed()),
  details: fc.array(detail, { maxLength: 3 }),
  metadata,
});

function plain(end: End | undefined) {
  return end && { ...end, details: end.details.map((d) => ({ type: d.type, value: [...d.value] })), metadata: [...end.metadata] };
}

describe("an end that is not ok", () => {
  test("comes back from a trailer frame as it went in, and connect-es reads the same", () => {
    fc.assert(
      fc.property(failed, (end) => {
        const block = trailerFrame(end).subarray(prefixLength);
        const { statusDetails, ...read } = endFromTrailerBlock(block)!;
        expect(plain(read)).toEqual(plain(end));
        expect(statusDetails !== undefined).toBe(end.details.length > 0);
        const error = findTrailerError(trailerParse(block))!;
        expect(ConnectCode[error.code].replace(/(?<!^)([A-Z])/g, "_$1").toLowerCase()).toBe(end.code);
        // connect-es takes the message out of the details where there are some.
        expect(error.rawMessage).toBe(end.message);
        expect(error.details.map((d) => ("type" in d ? [d.type, [...d.value]] : []))).toEqual(end.details.map((d) => [d.type, [...d.value]]));
      }),
    );
  });

  test("goes on to who speaks gRPC-Web with the details as they came, whatever their types are called", () => {
    const status = Uint8Array.from([0x08, 9, 0x12, 6, ...utf8(" why? "), 0x1a, 14, 0x0a, 9, ...utf8("x.org/t.D"), 0x12, 1, 7]);
    const packed = Buffer.from(status).toString("base64");
    const end = endFromTrailerBlock(utf8(`grpc-status:9\r\ngrpc-status-details-bin:${packed}\r\n`))!;
    expect([end.message, end.details]).toEqual([" why? ", [{ type: "t.D", value: Uint8Array.of(7) }]]);
    expect(fromUtf8(trailerFrame(end).subarray(prefixLength))).toBe(`grpc-status:9\r\ngrpc-message:%20why?%20\r\ngrpc-status-details-bin:${packed}\r\n`);
  });

  test.each([["why?", " why? "], ["other", "other"], ["", " why? "]])("has the message %j of its trailers where its details say no more: %j", (told, message) => {
    const packed = Buffer.from([0x08, 9, 0x12, 6, ...utf8(" why? ")]).toString("base64");
    expect(endFromTrailerBlock(utf8(`grpc-status:9\r\ngrpc-message:${told}\r\ngrpc-status-details-bin:${packed}\r\n`))!.message).toBe(message);
    expect(endFromTrailerBlock(utf8(`grpc-status:8\r\ngrpc-message:${told}\r\ngrpc-status-details-bin:${packed}\r\n`))!.message).toBe(told);
  });

  test("comes back from an end-of-stream envelope as it went in, and connect-es reads the same", () => {
    fc.assert(
      fc.property(failed, (end) => {
        const data = endStreamFrame(end).subarray(prefixLength);
        expect(plain(endFromEndStream(data))).toEqual(plain(end));
        const oracle = endStreamFromJson(data);
        expect(oracle.error?.rawMessage).toBe(end.message);
        expect([...oracle.metadata]).toEqual([...end.metadata].toSorted());
      }),
    );
  });

  test("comes back from a Connect error body, and connect-es reads the same", () => {
    fc.assert(
      fc.property(failed, (end) => {
        const json = errorToJson(end);
        expect(plain(errorFromBody(utf8(JSON.stringify(json)), "unknown", end.metadata))).toEqual(plain(end));
        const oracle = oracleErrorFromJson(JSON.parse(JSON.stringify(json)), undefined, new ConnectError("none"));
        expect(oracle.rawMessage).toBe(end.message);
        expect(oracle.details.length).toBe(end.details.length);
      }),
    );
  });
});

describe("an ok end", () => {
  const ok: End = { code: "ok", message: "", details: [], metadata: new Fields() };
  test("is at least {} in a Connect stream", () => expect(new TextDecoder().decode(endStreamFrame(ok).subarray(5))).toBe("{}"));
  test("is grpc-status:0 without a blank, ended by CRLF", () => expect(new TextDecoder().decode(trailerFrame(ok).subarray(5))).toBe("grpc-status:0\r\n"));
});

describe("what an origin may write wrongly", () => {
  test("trailers with LF alone, capitals and blanks are read", () => {
    const end = endFromTrailerBlock(utf8("Grpc-Status: 5\nGrpc-Message: 100%\nX-A: b"))!;
    expect([end.code, end.message, end.metadata.get("x-a")]).toEqual(["not_found", "100%", "b"]);
  });
  test("a line that is no field is passed over, a value that no HTTP stack takes is encoded", () => {
    expect([...parseTrailerBlock("nonsense\r\nx-a:a\x7fb\r\nx-b:日\r\n")]).toEqual([["x-a", "a%7Fb"], ["x-b", "%E6%97%A5"]]);
  });
  test("an end's own names among its metadata are not written twice", () => {
    const frame = trailerFrame({ code: "ok", message: "", details: [], metadata: new Fields({ "grpc-status": "5", a: "1" }) });
    expect(new TextDecoder().decode(frame.subarray(5))).toBe("grpc-status:0\r\na:1\r\n");
  });
  test("two cookies in a Connect end stay two", () => {
    const metadata = new Fields({}, ["a=1", "b=2"]);
    expect(endFromEndStream(endStreamFrame({ code: "ok", message: "", details: [], metadata }).subarray(5))?.metadata.getSetCookie()).toEqual(["a=1", "b=2"]);
  });
  test("an unknown grpc-status is unknown", () => expect(endFromTrailers(new Fields({ "grpc-status": "99" }))?.code).toBe("unknown"));
  test.each([{ message: "oops" }, { code: null, message: "oops" }, { code: "odd", message: "oops" }, { code: "ok", message: "oops" }])(
    "a Connect error without a code of its own, %j, has its HTTP status's code and keeps its message", (json) => {
      const end = errorFromBody(utf8(JSON.stringify(json)), "unauthenticated", new Fields());
      expect([end?.code, end?.message]).toEqual(["unauthenticated", "oops"]);
    });
  test("any bytes as details, an end or a trailer block neither throw nor hang", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        statusDetailsFromBinary(bytes);
        endFromEndStream(bytes);
        errorFromBody(bytes, "unknown", new Fields());
        endFromTrailerBlock(bytes);
      }),
    );
  });
});

test.each([[400, "internal"], [401, "unauthenticated"], [404, "unimplemented"], [429, "unavailable"], [504, "unavailable"], [521, "unavailable"], [500, "unknown"], [302, "unknown"]])(
  "an HTTP %d without an end means %s", (status, code) => expect(codeFromHttpStatus(status)).toBe(code));
