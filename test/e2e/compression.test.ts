import { brotliCompressSync, gunzipSync, gzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { splitEnvelopes, writeEnvelope } from "../../worker/core/protocol/envelope.ts";
import { call } from "./client.ts";
import { bench, runtimes } from "./harness.ts";
import { replies } from "./origin.ts";
import { contentType, request, trailers, understand } from "./wire.ts";

const plain = Buffer.from("a message that is long enough to be worth its compression ".repeat(20));
const packed = gzipSync(plain, { level: 9 });

function frames(bytes: Buffer) {
  return splitEnvelopes(new Uint8Array(bytes)).envelopes.map(({ flags, data }) => ({ flags, data: Buffer.from(data).toString("hex") }));
}

describe.each(runtimes)("compression on %s", (runtime) => {
  const on = bench(runtime);

  it("a compressed Connect message reaches a gRPC-Web origin in the caller's very bytes", async () => {
    on.origin.answer(replies(200, { "content-type": "application/grpc-web+proto" }, Buffer.concat([writeEnvelope(0, Buffer.from("x")), trailers("grpc-status:0\r\n")])));
    const { headers } = request("connect-unary", "");
    await call(on.proxy.port, { path: "/web/test.v1.Test/Unary", headers: { ...headers, "content-encoding": "gzip" }, body: packed });
    const [seen] = on.origin.seen;
    expect(seen!.headers["grpc-encoding"]).toBe("gzip");
    expect(frames(await seen!.body)).toEqual([{ flags: 1, data: packed.toString("hex") }]);
  });

  it("a compressed gRPC-Web message reaches a Connect origin in the caller's very bytes", async () => {
    on.origin.answer(replies(200, { "content-type": "application/proto" }, "x"));
    const headers = { ...request("grpc-web", "").headers, "grpc-encoding": "gzip" };
    await call(on.proxy.port, { path: "/connect/test.v1.Test/Unary", headers, body: writeEnvelope(1, packed) });
    const [seen] = on.origin.seen;
    expect(seen!.headers["content-encoding"]).toBe("gzip");
    expect(await seen!.body).toEqual(packed);
  });

  it("compressed and open messages of one stream keep their flags and bytes", async () => {
    on.origin.answer(replies(200, { "content-type": "application/connect+proto" }, writeEnvelope(2, Buffer.from("{}"))));
    const headers = { ...request("grpc-web", "").headers, "grpc-encoding": "gzip" };
    const body = Buffer.concat([writeEnvelope(1, packed), writeEnvelope(0, plain), writeEnvelope(1, packed)]);
    await call(on.proxy.port, { path: "/connect/test.v1.Test/Client", headers, body });
    const [seen] = on.origin.seen;
    expect(seen!.headers["connect-content-encoding"]).toBe("gzip");
    expect(frames(await seen!.body).map(({ flags }) => flags)).toEqual([1, 0, 1]);
    expect(await seen!.body).toEqual(body);
  });

  it("a compressed reply of a gRPC-Web origin reaches a Connect caller in the origin's very bytes", async () => {
    const body = Buffer.concat([writeEnvelope(1, packed), trailers("grpc-status:0\r\n")]);
    on.origin.answer(replies(200, { "content-type": "application/grpc-web+proto", "grpc-encoding": "gzip" }, body));
    const { headers, body: message } = request("connect-unary", "");
    const reply = await call(on.proxy.port, { path: "/web/test.v1.Test/Unary", headers: { ...headers, "accept-encoding": "gzip" }, body: message });
    expect(on.origin.seen[0]!.headers["grpc-accept-encoding"]).toContain("gzip");
    expect(reply.headers["content-encoding"]).toBe("gzip");
    expect(gunzipSync(reply.body)).toEqual(plain);
    expect(reply.body).toEqual(packed);
  });

  it("a compressed reply of a Connect origin comes readable to a gRPC-Web caller", async () => {
    on.origin.answer(replies(200, { "content-type": "application/proto", "content-encoding": "gzip" }, packed));
    const { headers, body } = request("grpc-web", "");
    const reply = await call(on.proxy.port, { path: "/connect/test.v1.Test/Unary", headers: { ...headers, "grpc-accept-encoding": "gzip" }, body });
    const [message] = understand("grpc-web", reply).messages;
    // Deno's fetch undoes gzip; the message may then come open.
    if (message!.flags === 1) expect(reply.headers["grpc-encoding"]).toBe("gzip");
    expect(message!.flags === 1 ? gunzipSync(message!.data) : message!.data).toEqual(plain);
  });

  it("a compressed reply stream keeps its flags and bytes through another dialect", async () => {
    const body = Buffer.concat([writeEnvelope(1, packed), writeEnvelope(0, plain), writeEnvelope(2, Buffer.from("{}"))]);
    on.origin.answer(replies(200, { "content-type": "application/connect+proto", "connect-content-encoding": "gzip" }, body));
    const reply = await call(on.proxy.port, { path: "/connect/test.v1.Test/Server", ...request("grpc-web", "") });
    expect(reply.headers["grpc-encoding"]).toBe("gzip");
    expect(understand("grpc-web", reply).messages).toEqual([{ flags: 1, data: packed }, { flags: 0, data: plain }]);
  });

  it.each(["connect-unary", "connect-stream", "grpc-web"] as const)("an unknown encoding in %s is unimplemented and names what is supported", async (dialect) => {
    on.origin.answer(replies(200, { "content-type": contentType(dialect) }));
    const name = { "connect-unary": "content-encoding", "connect-stream": "connect-content-encoding", "grpc-web": "grpc-encoding" }[dialect];
    const { headers, body } = request(dialect, "x");
    const reply = await call(on.proxy.port, { path: `/same/test.v1.Test/${dialect === "connect-stream" ? "Client" : "Unary"}`, headers: { ...headers, [name]: "zap" }, body });
    expect(understand(dialect, reply)).toMatchObject({ code: "unimplemented", message: expect.stringContaining("gzip") as string });
    expect(on.origin.seen).toHaveLength(0);
  });

  describe("a caller that takes br, which nobody here opens,", () => {
    const br = brotliCompressSync(plain);
    const end = brotliCompressSync('{"error":{"code":"aborted","message":"as it came"}}');
    const trailer = brotliCompressSync("grpc-status:10\r\ngrpc-message:as it came\r\n");

    it("gets messages and ends of a Connect stream as the origin wrote them, and the endpoint is none the worse", async () => {
      const body = Buffer.concat([writeEnvelope(1, br), writeEnvelope(3, end)]);
      for (let i = 0; i < 8; i++) {
        on.origin.answer(replies(200, { "content-type": "application/connect+proto", "connect-content-encoding": "br" }, body));
        const { headers, body: sent } = request("connect-stream", "");
        const reply = await call(on.proxy.port, { path: "/connect/test.v1.Test/Server", headers: { ...headers, "connect-accept-encoding": "br, gzip" }, body: sent });
        expect([reply.headers["connect-content-encoding"], reply.body]).toEqual(["br", body]);
        expect(on.origin.seen).toHaveLength(1);
      }
    });

    it.each(["Unary", "Server"])("gets those of a gRPC-Web origin, too: %s", async (method) => {
      for (const body of [Buffer.concat([writeEnvelope(1, br), writeEnvelope(0x81, trailer)]), Buffer.from(writeEnvelope(0x81, trailer))]) {
        on.origin.answer(replies(200, { "content-type": "application/grpc-web+proto", "grpc-encoding": "br" }, body));
        const { headers, body: sent } = request("grpc-web", "");
        const reply = await call(on.proxy.port, { path: `/web/test.v1.Test/${method}`, headers: { ...headers, "grpc-accept-encoding": "br" }, body: sent });
        expect([reply.headers["grpc-encoding"], reply.body]).toEqual(["br", body]);
      }
    });

    it.each([["connect-stream", "/web", "Server"], ["grpc-web", "/connect", "Server"], ["connect-unary", "/web", "Unary"]] as const)("has none asked for where the end is written anew: %s to %s", async (dialect, base, method) => {
      const { headers, body } = request(dialect, "");
      on.origin.answer(replies(503, {}));
      await call(on.proxy.port, { path: `${base}/test.v1.Test/${method}`, headers: { ...headers, "accept-encoding": "br, gzip", "connect-accept-encoding": "br, gzip", "grpc-accept-encoding": "br, gzip" }, body });
      const seen = on.origin.seen[0]!.headers;
      expect(base === "/web" ? seen["grpc-accept-encoding"] : seen["connect-accept-encoding"]).toBe("gzip");
    });
  });

  it("a message flagged as compressed without an encoding is internal", async () => {
    on.origin.answer(replies(200, {}));
    const { headers } = request("grpc-web", "");
    const reply = await call(on.proxy.port, { path: "/connect/test.v1.Test/Unary", headers, body: writeEnvelope(1, packed) });
    expect(understand("grpc-web", reply).code).toBe("internal");
  });
});
