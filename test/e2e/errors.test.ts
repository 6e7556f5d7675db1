import type { ServerResponse } from "node:http";
import { setTimeout } from "node:timers/promises";
import { gzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { statusDetailsFromBinary, statusDetailsToBinary } from "../../worker/core/protocol/status-details.ts";
import { writeEnvelope } from "../../worker/core/protocol/envelope.ts";
import { call, open } from "./client.ts";
import { bench, runtimes } from "./harness.ts";
import { replies } from "./origin.ts";
import { type CallerDialect, callerDialects, request, trailers, understand, webReply } from "./wire.ts";

const detail = { type: "google.rpc.RetryInfo", value: new Uint8Array([0x0a, 0x02, 0x08, 0x05]) };
const connectDetail = { type: detail.type, value: "CgIIBQ" };
const binary = Buffer.from(statusDetailsToBinary("aborted", "no – 100%", [detail])).toString("base64").replace(/=+$/, "");
const grpcEnd = `grpc-status:10\r\ngrpc-message:no %E2%80%93 100%25\r\ngrpc-status-details-bin:${binary}\r\nx-end:at last\r\n`;
const connectError = { code: "aborted", message: "no – 100%", details: [connectDetail] };

function detailsOf(dialect: CallerDialect, details: readonly { type: string; value: string }[]) {
  if (dialect.startsWith("connect")) return details;
  const status = statusDetailsFromBinary(new Uint8Array(Buffer.from(details[0]!.value, "base64")));
  return status?.details.map(({ type, value }) => ({ type, value: Buffer.from(value).toString("base64").replace(/=+$/, "") }));
}

function methodOf(dialect: CallerDialect): string {
  return dialect === "connect-stream" ? "Server" : "Unary";
}

describe.each(runtimes)("errors on %s", (runtime) => {
  const on = bench(runtime);

  describe.each(callerDialects)("to a caller in %s", (dialect) => {
    const send = (base: string) => call(on.proxy.port, { path: `${base}/test.v1.Test/${methodOf(dialect)}`, ...request(dialect, "x") });

    it("an error of a gRPC-Web origin comes with details, head and trailing metadata", async () => {
      on.origin.answer(replies(200, { "content-type": "application/grpc-web+proto", "x-head": "first" }, trailers(grpcEnd)));
      const reply = await send("/web");
      const { code, message, details, trailers: end } = understand(dialect, reply);
      expect({ code, message, details: detailsOf(dialect, details) }).toEqual(connectError);
      expect([reply.headers["x-head"], end["x-end"]]).toEqual(["first", "at last"]);
    });

    it("an error of a Connect origin comes with details, head and trailing metadata", async () => {
      const stream = dialect === "connect-stream";
      const unary = JSON.stringify(connectError);
      const end = writeEnvelope(2, Buffer.from(JSON.stringify({ error: connectError, metadata: { "X-End": ["at last"] } })));
      on.origin.answer(
        stream
          ? replies(200, { "content-type": "application/connect+proto", "x-head": "first" }, end)
          : replies(409, { "content-type": "application/json", "x-head": "first", "trailer-x-end": "at last" }, unary),
      );
      const reply = await send("/connect");
      const { code, message, details, trailers: told } = understand(dialect, reply);
      expect({ code, message, details: detailsOf(dialect, details) }).toEqual(connectError);
      expect([reply.headers["x-head"], told["x-end"]]).toEqual(["first", "at last"]);
    });

    it("an encoding that nobody knows is unimplemented, and the ones that are known are told", async () => {
      on.origin.answer(replies(200, {}, ""));
      const { headers, body } = request(dialect, "x");
      const [encoding, accepts] = { "connect-unary": ["content-encoding", "accept-encoding"], "connect-stream": ["connect-content-encoding", "connect-accept-encoding"], "grpc-web": ["grpc-encoding", "grpc-accept-encoding"], "grpc-web-text": ["grpc-encoding", "grpc-accept-encoding"] }[dialect] as [string, string];
      const reply = await call(on.proxy.port, { path: `/same/test.v1.Test/${methodOf(dialect)}`, headers: { ...headers, [encoding]: "snappy" }, body });
      expect(understand(dialect, reply)).toMatchObject({ code: "unimplemented", message: 'unknown compression "snappy": supported encodings are gzip, identity' });
      expect(reply.headers[accepts]).toBe("gzip, identity");
      expect(on.origin.seen).toEqual([]);
    });

    it("metadata crosses to the origin, repeated values and binary ones too", async () => {
      on.origin.answer(replies(200, { "content-type": "application/grpc-web+proto" }, webReply("x")));
      const { headers, body } = request(dialect, "x");
      await call(on.proxy.port, { path: `/web/test.v1.Test/${methodOf(dialect)}`, headers: { ...headers, "x-many": ["a", "b"], "x-bytes-bin": "AAEC" }, body });
      expect(on.origin.seen[0]!.headers).toMatchObject({ "x-many": "a, b", "x-bytes-bin": "AAEC" });
    });

    it.each([
      [404, "unimplemented"], [401, "unauthenticated"], [403, "permission_denied"], [429, "unavailable"],
      [502, "unavailable"], [503, "unavailable"], [504, "unavailable"], [500, "unknown"], [302, "unknown"], [521, "unavailable"],
    ] as const)("plain HTTP %i of either origin becomes an end: %s", async (status, code) => {
      on.origin.answer(replies(status, { "content-type": "text/plain", location: "http://127.0.0.1:1/" }, "<h1>no</h1>"));
      for (const base of ["/connect", "/web"]) expect(understand(dialect, await send(base)).code).toBe(code);
    });

    it("an origin's 200 that is a page becomes unknown", async () => {
      on.origin.answer(replies(200, { "content-type": "text/html" }, "<h1>Log in</h1>"));
      for (const base of ["/connect", "/web"]) expect(understand(dialect, await send(base)).code).toBe("unknown");
    });

    it("a connection that the origin closes without an answer is unavailable", async () => {
      on.origin.answer((response) => response.socket?.destroy());
      for (const base of ["/connect", "/web"]) expect(understand(dialect, await send(base)).code).toBe("unavailable");
    });

    it("an unknown method is unimplemented, and HTTP 404 to unary Connect alone", async () => {
      const reply = await call(on.proxy.port, { path: "/web/test.v1.Unknown/Unary", ...request(dialect, "x") });
      expect(understand(dialect, reply).code).toBe("unimplemented");
      expect(reply.status).toBe(dialect === "connect-unary" ? 404 : 200);
    });
  });

  it("an origin that refuses an upload before it has read all of it is heard: it is not the caller that has left", async () => {
    const upload = Buffer.concat(Array.from({ length: 4 }, () => writeEnvelope(0, Buffer.alloc(1 << 20))));
    on.origin.answer((response) => response.writeHead(200, { "content-type": "application/grpc-web+proto", "grpc-status": "7", "grpc-message": "early" }).end());
    const reply = await call(on.proxy.port, { path: "/web/test.v1.Test/Client", headers: request("connect-stream", "").headers, body: upload });
    expect(understand("connect-stream", reply)).toMatchObject({ code: "permission_denied", message: "early" });
  });

  const goodbye = Buffer.from(writeEnvelope(2, Buffer.from('{"error":{"code":"failed_precondition"}}')));
  it.each([
    ["by its status", "505 HTTP Version Not Supported", "", Buffer.alloc(0), "unknown"],
    ["by an end", "200 OK", "content-type: application/connect+proto\r\n", goodbye, "failed_precondition"],
  ] as const)("an origin that ends a stream %s while its caller is still sending, reads no more and closes later, as Go does, is heard", async (_how, status, head, body, code) => {
    const answer = ({ socket }: ServerResponse): void => {
      socket!.write(Buffer.concat([Buffer.from(`HTTP/1.1 ${status}\r\n${head}content-length: ${body.length}\r\nconnection: close\r\n\r\n`), body]));
      socket!.pause();
      void setTimeout(500).then(() => socket!.destroy());
    };
    const upload = Array.from({ length: 50 }, () => writeEnvelope(0, Buffer.alloc(20_000)));
    const ends: string[] = [];
    for (let i = 0; i < 40; i++) {
      on.origin.answer(answer);
      const { request: sent, head: answered } = open(on.proxy.port, { path: "/connect/test.v1.Test/Client", headers: { ...request("connect-stream", "").headers, connection: "keep-alive" }, body: upload, pause: 0.001 });
      let broken = "";
      sent.on("error", (error) => (broken = String(error)));
      const response = await answered;
      const chunks = await response.toArray();
      await setTimeout(1);
      ends.push(broken || understand("connect-stream", { status: response.statusCode!, headers: response.headers, body: Buffer.concat(chunks), cut: false, ms: 0 }).code);
      sent.destroy();
    }
    // On a busy machine a caller may pause for longer than it is waited for.
    expect(ends.filter((end) => end === code).length).toBeGreaterThanOrEqual(38);
  });

  it("an origin that ends a stream whose caller is silent is heard at once", async () => {
    on.origin.answer((response) => response.writeHead(200, { "content-type": "application/connect+proto" }).end(goodbye));
    const began = performance.now();
    const { request: silent, head } = open(on.proxy.port, { path: "/connect/test.v1.Test/Client", headers: request("connect-stream", "").headers, body: [writeEnvelope(0, Buffer.from("x")), writeEnvelope(0, Buffer.from("y"))], pause: 5000 });
    silent.on("error", () => {});
    expect(Buffer.concat(await (await head).toArray()).toString()).toContain("failed_precondition");
    expect(performance.now() - began).toBeLessThan(400);
    silent.destroy();
  });

  it.each(["connect-timeout-ms", "grpc-timeout"])("a call whose time is over when it comes (%s) is deadline_exceeded, and reaches no origin", async (name) => {
    on.origin.answer(replies(200, { "content-type": "application/proto" }, "x"));
    const [dialect, value] = name === "grpc-timeout" ? (["grpc-web", "0m"] as const) : (["connect-unary", "0"] as const);
    for (let i = 0; i < 10; i++) {
      const { headers, body } = request(dialect, "x");
      expect(understand(dialect, await call(on.proxy.port, { path: "/connect/test.v1.Test/Unary", headers: { ...headers, [name]: value }, body })).code).toBe("deadline_exceeded");
    }
    expect(on.origin.seen).toEqual([]);
  });

  it("a reply that an origin compresses though nobody asked says so to the caller", async () => {
    const packed = gzipSync("hello");
    on.origin.answer(replies(200, { "content-type": "application/proto", "content-encoding": "GZIP" }, packed));
    const reply = await call(on.proxy.port, { path: "/connect/test.v1.Test/Unary", ...request("connect-unary", "x") });
    expect([reply.headers["content-encoding"]?.toLowerCase(), reply.body.toString("hex")]).toEqual(["gzip", packed.toString("hex")]);
  });

  it("cookies and what else is HTTP's own of a reply that is only trailers stay in its head", async () => {
    on.origin.answer(replies(200, { "content-type": "application/grpc-web+proto", "grpc-status": "16", "set-cookie": ["session=; Max-Age=0", "b=2"], "www-authenticate": "Bearer", "x-end": "1" }));
    for (const dialect of ["grpc-web", "connect-unary"] as const) {
      const reply = await call(on.proxy.port, { path: "/web/test.v1.Test/Unary", ...request(dialect, "x") });
      const { code, trailers: end } = understand(dialect, reply);
      expect([code, reply.headers["set-cookie"], reply.headers["www-authenticate"], end["www-authenticate"], end["x-end"]]).toEqual(["unauthenticated", ["session=; Max-Age=0", "b=2"], "Bearer", undefined, "1"]);
    }
  });

  it("a status message that is not encoded as it must be is", async () => {
    on.origin.answer(replies(200, { "content-type": "application/grpc-web+proto" }, trailers("grpc-status:5\r\ngrpc-message:100%\r\n")));
    const reply = await call(on.proxy.port, { path: "/web/test.v1.Test/Unary", ...request("grpc-web", "x") });
    expect(reply.body.toString("latin1")).toContain("grpc-message:100%25\r\n");
  });

  it("a refusal is not for caches", async () => {
    const refused = [{ path: "/web/test.v1.Test/Unary", headers: { "content-type": "text/plain" } }, { method: "GET", path: "/nothing" }, { method: "PUT", path: "/web/test.v1.Test/Unary" }];
    for (const one of refused) expect((await call(on.proxy.port, one)).headers["cache-control"]).toBe("no-store");
  });

  it("a Connect error without a JSON body has the code of its HTTP status", async () => {
    on.origin.answer(replies(503, { "content-type": "application/json" }, '{"code":"no such code"}'));
    expect(understand("grpc-web", await call(on.proxy.port, { path: "/connect/test.v1.Test/Unary", ...request("grpc-web", "x") })).code).toBe("unavailable");
  });

  it.each(["PUT", "DELETE", "PATCH", "HEAD"])("%s is 405 and says what is allowed", async (method) => {
    const unary = await call(on.proxy.port, { method, path: "/web/test.v1.Test/Unary", headers: { "content-type": "application/json" } });
    const get = await call(on.proxy.port, { method, path: "/web/test.v1.Test/Get", headers: { "content-type": "application/json" } });
    expect([unary.status, unary.headers.allow, get.status, get.headers.allow]).toEqual([405, "POST", 405, "GET, POST"]);
  });

  it("a method with side effects by GET is 405 and reaches no origin", async () => {
    on.origin.answer(replies(200, { "content-type": "application/json" }, "{}"));
    const reply = await call(on.proxy.port, { method: "GET", path: "/connect/test.v1.Test/Unary?connect=v1&encoding=json&message=%7B%7D" });
    expect([reply.status, reply.headers.allow, on.origin.seen.length]).toEqual([405, "POST", 0]);
  });

  it.each(["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "application/grpc", "application/proto; charset=latin1", ""])(
    'content type "%s" is 415 and says what is accepted',
    async (type) => {
      const reply = await call(on.proxy.port, { path: "/web/test.v1.Test/Unary", headers: type === "" ? {} : { "content-type": type }, body: "{}" });
      expect([reply.status, reply.headers["accept-post"]]).toEqual([415, expect.stringContaining("application/grpc-web+proto")]);
    },
  );

  it("a unary method called as a Connect stream is 415, and the reverse", async () => {
    const stream = await call(on.proxy.port, { path: "/connect/test.v1.Test/Unary", ...request("connect-stream", "x") });
    const unary = await call(on.proxy.port, { path: "/connect/test.v1.Test/Server", ...request("connect-unary", "x") });
    expect([stream.status, unary.status]).toEqual([415, 415]);
  });
});

describe.each(runtimes)("a dead origin on %s", (runtime) => {
  const on = bench(runtime);

  it.each(callerDialects)("a refused connection is unavailable to a caller in %s", async (dialect) => {
    await on.origin.stop();
    for (const base of ["/connect", "/web"]) {
      const reply = await call(on.proxy.port, { path: `${base}/test.v1.Test/${methodOf(dialect)}`, ...request(dialect, "x") });
      expect(understand(dialect, reply).code).toBe("unavailable");
    }
  });
});
