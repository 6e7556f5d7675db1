import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { writeEnvelope } from "../../worker/core/protocol/envelope.ts";
import { call, type Received } from "./client.ts";
import { bench, defects, runtimes, within } from "./harness.ts";
import { type Answer, replies } from "./origin.ts";
import { type CallerDialect, callerDialects, contentType, request, trailers, understand, webReply } from "./wire.ts";

const runs = { numRuns: 300, seed: 20261124, endOnFailure: true };

/** Bytes: any, or some that nearly are what they should be. */
const anyBytes = fc.uint8Array({ maxLength: 300 });
const anyFlags = fc.oneof(fc.constantFrom(0, 1, 2, 3, 0x80, 0x81), fc.nat(255));
const anyTrailers = fc.oneof(
  fc.constantFrom("grpc-status:0\r\n", "grpc-status:5\r\ngrpc-message:%F\r\n", "GRPC-STATUS: 3\n", "grpc-status:x\r\n", "x-a:\r\n", "grpc-status-details-bin:!\r\ngrpc-status:2\r\n"),
  fc.string({ unit: "binary", maxLength: 40 }),
).map((text) => trailers(text));
const anyEnd = fc.oneof(fc.constantFrom("{}", '{"error":{}}', '{"error":{"code":"aborted","details":[{"type":"a","value":"!"}]}}', '{"metadata":{"a b":["1"]}}', "[]", "{"), fc.json({ maxDepth: 3 })).map((json) =>
  writeEnvelope(2, Buffer.from(json)),
);
const anyEnvelope = fc.tuple(anyFlags, anyBytes).map(([flags, data]) => writeEnvelope(flags, data));
const anyFrames = fc
  .tuple(fc.array(fc.oneof(anyEnvelope, anyTrailers, anyEnd), { maxLength: 4 }), fc.nat(400))
  .map(([frames, cut]) => (cut < 100 ? Buffer.concat(frames).subarray(0, cut) : Buffer.concat(frames)));
const anyBody = fc.oneof(anyBytes, anyFrames, fc.json().map((text) => Buffer.from(text)), anyFrames.map((bytes) => Buffer.from(bytes.toString("base64"))));

const anyType = fc.oneof(
  fc.constantFrom("application/proto", "application/json", "application/connect+proto", "application/connect+json", "application/grpc-web", "application/grpc-web+proto", "application/grpc-web+json", "application/grpc-web-text", "text/html"),
  fc.stringMatching(/^[!-~]{1,20}$/),
);
const anyStatus = fc.oneof({ weight: 3, arbitrary: fc.constant(200) }, { weight: 2, arbitrary: fc.integer({ min: 200, max: 599 }) });
const anyHeaders = fc.dictionary(
  fc.constantFrom("grpc-status", "grpc-message", "grpc-encoding", "content-encoding", "connect-content-encoding", "trailer-x", "x-any", "grpc-status-details-bin", "location"),
  fc.oneof(fc.constantFrom("0", "3", "gzip", "identity", "%"), fc.stringMatching(/^[!-~]{0,12}$/)),
  { maxKeys: 3 },
);

function methodsOf(dialect: CallerDialect): string[] {
  if (dialect === "connect-unary") return ["Unary"];
  return dialect === "connect-stream" ? ["Server", "Client", "Bidi"] : ["Unary", "Server", "Client"];
}

function wellFormed(dialect: CallerDialect, reply: Received): void {
  expect(reply.cut).toBe(false);
  understand(dialect, reply);
}

/** Whether the origin may have left off inside a message: then the caller's stream is cut, too. */
function mayBeCut(method: string): boolean {
  return method !== "Unary";
}

describe.each(runtimes)("fuzz on %s", (runtime) => {
  const on = bench(runtime);

  describe.each(callerDialects)("with a caller in %s", (dialect) => {
    it("any request body gets a well-formed answer", async () => {
      const anyEncoding = fc.constantFrom({}, { "content-encoding": "gzip" }, { "grpc-encoding": "gzip" }, { "connect-content-encoding": "gzip" });
      const anyCall = fc.record({ base: fc.constantFrom("/web", "/connect"), method: fc.constantFrom(...methodsOf(dialect)), body: anyBody, encoding: anyEncoding, chunked: fc.boolean() });
      await fc.assert(
        fc.asyncProperty(anyCall, async ({ base, method, body, encoding, chunked }) => {
          on.origin.answer(goodAnswer(base, method));
          const { headers } = request(dialect, "");
          const sent = { path: `${base}/test.v1.Test/${method}`, headers: { ...headers, ...encoding }, body: chunked ? [Buffer.from(body)] : body };
          wellFormed(dialect, await within(5000, call(on.proxy.port, sent), "the answer"));
        }),
        runs,
      );
      expect(defects(on.proxy.log())).toEqual([]);
    });

    it("any reply of the origin becomes a well-formed answer", async () => {
      const anyReply = fc.record({
        base: fc.constantFrom("/web", "/connect", "/same"), method: fc.constantFrom(...methodsOf(dialect)),
        status: anyStatus, type: anyType, right: fc.boolean(), headers: anyHeaders, body: anyBody, breaks: fc.boolean(),
      });
      await fc.assert(
        fc.asyncProperty(anyReply, async ({ base, method, status, type, right, headers, body, breaks }) => {
          const head = { ...headers, "content-type": right ? rightType(dialect, base, method) : type };
          const bytes = status === 204 || status === 205 || status === 304 ? Buffer.alloc(0) : Buffer.from(body);
          on.origin.answer(breaks ? broken(status, head, bytes) : replies(status, head, bytes));
          const reply = await within(5000, call(on.proxy.port, { path: `${base}/test.v1.Test/${method}`, ...request(dialect, "x") }), "the answer");
          if (reply.cut && (mayBeCut(method) || breaks)) return;
          wellFormed(dialect, reply);
        }),
        runs,
      );
      expect(defects(on.proxy.log())).toEqual([]);
    });
  });
});

function goodAnswer(base: string, method: string): Answer {
  if (base === "/web") return replies(200, { "content-type": "application/grpc-web+proto" }, webReply("x"));
  if (method === "Unary") return replies(200, { "content-type": "application/proto" }, "x");
  return replies(200, { "content-type": "application/connect+proto" }, Buffer.concat([writeEnvelope(0, Buffer.from("x")), writeEnvelope(2, Buffer.from("{}"))]));
}

/** The content type that the proxy asks the origin below a base for. */
function rightType(dialect: CallerDialect, base: string, method: string): string {
  const web = base === "/web" || (base === "/same" && dialect.startsWith("grpc-web"));
  return web ? "application/grpc-web+proto" : contentType(method === "Unary" ? "connect-unary" : "connect-stream");
}

/** Sends all, and breaks the connection instead of ending the body. */
function broken(status: number, head: Record<string, string>, bytes: Buffer): Answer {
  return async (response, seen) => {
    await seen.body;
    response.writeHead(status, head);
    response.write(bytes.length > 0 ? bytes : "", () => setImmediate(() => response.socket?.destroy()));
    response.flushHeaders();
    if (bytes.length === 0) setImmediate(() => response.socket?.destroy());
  };
}
