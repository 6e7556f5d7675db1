import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { checkRequest, checkVerdict, checkWire } from "../../../worker/core/health/grpc-check.ts";
import { utf8, writeEnvelope } from "../../../worker/core/protocol/envelope.ts";

const connect = { dialect: "connect-unary", codec: "proto" } as const;
const connectJson = { dialect: "connect-unary", codec: "json" } as const;
const web = { dialect: "grpc-web", codec: "proto" } as const;
const wires = [connect, connectJson, web, { dialect: "grpc-web", codec: "json" } as const];

const serving = (status: number) => Uint8Array.of(0x08, status);
const frames = (trailers: string, message?: Uint8Array) => Uint8Array.of(...(message ? writeEnvelope(0, message) : []), ...writeEnvelope(0x80, utf8(trailers)));
const webReply = (trailers: string, message?: Uint8Array, headers: Record<string, string> = {}) => ({ status: 200, headers: new Headers({ "content-type": "application/grpc-web+proto", ...headers }), body: frames(trailers, message) });
const reply = (status: number, type: string, body: string | Uint8Array = "") => ({ status, headers: new Headers(type === "" ? {} : { "content-type": type }), body: typeof body === "string" ? utf8(body) : Uint8Array.from(body) });
const error = (status: number, code: string) => reply(status, "application/json", JSON.stringify({ code, message: "why" }));

const well = { healthy: true, detail: "" };
const noted = { healthy: true, detail: "has no health service" };
const sick = (detail: unknown) => ({ healthy: false, detail });

describe("an endpoint that answers", () => {
  test.each([
    ["SERVING in Connect", connect, reply(200, "application/proto", serving(1)), well],
    ["NOT_SERVING in Connect", connect, reply(200, "application/proto", serving(2)), sick("NOT_SERVING")],
    ["with a field that is new", connect, reply(200, "application/proto", Uint8Array.of(0x12, 1, 7, 0x08, 1)), well],
    ["nothing in Connect", connect, reply(200, "application/proto"), sick("UNKNOWN")],
    ["SERVICE_UNKNOWN by its number", connect, reply(200, "application/proto", serving(3)), sick("SERVICE_UNKNOWN")],
    ["not_found", connect, error(404, "not_found"), sick("SERVICE_UNKNOWN")],
    ["unimplemented", connect, error(501, "unimplemented"), noted],
    ["a plain 404 in Connect", connect, reply(404, "text/plain", "no"), noted],
    ["unavailable", connect, error(503, "unavailable"), sick("unavailable: why")],
    ["a page", connect, reply(200, "text/html", "<p>"), sick("unknown: the answer's content type is text/html")],
    ["no content type", connect, reply(200, ""), sick("unknown: the answer's content type is not given")],
    ["a redirect", connect, reply(302, ""), sick("unknown: HTTP 302")],
    ["SERVING in JSON", connectJson, reply(200, "application/json", '{"status":"SERVING"}'), well],
    ["SERVING in JSON, by its number", connectJson, reply(200, "application/json", '{"status":1}'), well],
    ["nothing in JSON", connectJson, reply(200, "application/json", "{}"), sick("UNKNOWN")],
    ["a list in JSON", connectJson, reply(200, "application/json", "[]"), sick("the answer is no HealthCheckResponse")],
    ["SERVING in gRPC-Web", web, webReply("grpc-status:0\r\n", serving(1)), well],
    ["NOT_SERVING in gRPC-Web", web, webReply("grpc-status:0\r\n", serving(2)), sick("NOT_SERVING")],
    ["UNIMPLEMENTED in its trailers", web, webReply("grpc-status: 12\r\n"), noted],
    ["NOT_FOUND in its trailers", web, webReply("grpc-status:5\r\n"), sick("SERVICE_UNKNOWN")],
    ["UNIMPLEMENTED in its head", web, { ...webReply(""), body: new Uint8Array(0), headers: new Headers({ "grpc-status": "12" }) }, noted],
    ["SERVING and then an error", web, webReply("grpc-status:14\r\ngrpc-message:gone\r\n", serving(1)), sick("unavailable: gone")],
    ["ok without a message", web, webReply("grpc-status:0\r\n"), sick("the answer is no HealthCheckResponse")],
    ["a message without an end", web, { ...webReply(""), body: writeEnvelope(0, serving(1)) }, sick("internal: the answer has no end")],
    ["half an answer", web, { ...webReply(""), body: frames("grpc-status:0\r\n", serving(1)).subarray(0, 9) }, sick("internal: the answer has no end")],
  ] as const)("%s", (_name, wire, answer, verdict) => expect(checkVerdict(wire, answer)).toEqual(verdict));

  test("anything at all is judged, and is healthy only where it says so", () => {
    const types = fc.constantFrom("application/proto", "application/json", "application/grpc-web+proto", "application/grpc-web+json", "text/html", "");
    const bodies = fc.oneof(fc.uint8Array({ maxLength: 60 }), fc.string().map(utf8), fc.json().map(utf8), fc.uint8Array({ maxLength: 20 }).map((b) => frames("grpc-status:0\r\n", b)), fc.constant(utf8("[".repeat(60_000))), fc.constant(new Uint8Array(60_000).fill(0x0b)));
    fc.assert(fc.property(fc.constantFrom(...wires), fc.integer({ min: 200, max: 599 }), types, fc.option(fc.constantFrom("0", "12", "99", "x")), bodies, (wire, status, type, grpcStatus, body) => {
      const headers = new Headers({ "content-type": type, ...(grpcStatus === null ? {} : { "grpc-status": grpcStatus }) });
      const { healthy, detail } = checkVerdict(wire, { status, headers, body: Uint8Array.from(body) });
      expect(detail.length).toBeLessThanOrEqual(120);
      if (!healthy) expect(detail).not.toBe("");
      else expect(["", "has no health service"]).toContain(detail);
    }), { numRuns: 3000 });
  });
});

describe("a check is asked", () => {
  test("in its cluster's dialect, Connect where that is the caller's own, and in a codec that it takes", () => {
    expect(checkWire({ dialect: "same", codecs: ["json", "proto"] })).toEqual(connect);
    expect(checkWire({ dialect: "connect", codecs: ["json"] })).toEqual(connectJson);
    expect(checkWire({ dialect: "grpc-web", codecs: ["proto"] })).toEqual(web);
  });
  test("for a service, with a time-out", () => {
    const asked = checkRequest(web, "a.B", 1500);
    expect([...asked.body]).toEqual([0, 0, 0, 0, 5, 0x0a, 3, 0x61, 0x2e, 0x42]);
    expect(Object.fromEntries(asked.headers)).toMatchObject({ "content-type": "application/grpc-web+proto", "grpc-timeout": "1500m", "x-grpc-web": "1" });
    const whole = checkRequest(connectJson, "", 1000);
    expect(new TextDecoder().decode(whole.body)).toBe("{}");
    expect(Object.fromEntries(whole.headers)).toMatchObject({ "content-type": "application/json", "connect-timeout-ms": "1000", "connect-protocol-version": "1" });
  });
});
