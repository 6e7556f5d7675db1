import { describe, expect, it } from "vitest";
import { call, raw } from "./client.ts";
import { bench, runtimes } from "./harness.ts";
import { replies } from "./origin.ts";
import { callerDialects, request, understand, webReply } from "./wire.ts";

const web = { "content-type": "application/grpc-web+proto" };
const forged = {
  "x-forwarded-for": "6.6.6.6", "x-forwarded-proto": "gopher", "x-forwarded-host": "evil.example", "x-forwarded-prefix": "/evil", "x-forwarded-port": "6",
  "x-real-ip": "6.6.6.6", forwarded: "for=6.6.6.6", "x-original-url": "/admin", "x-rewrite-url": "/admin", "x-http-method-override": "DELETE",
  "proxy-authorization": "Basic eDp5", "cf-connecting-ip": "6.6.6.6",
};
const hop = { te: "trailers", "keep-alive": "timeout=5", "proxy-connection": "keep-alive" };

describe.each(runtimes)("headers on %s", (runtime) => {
  const on = bench(runtime);

  it.each(callerDialects)("what a caller in %s forges, and what belongs to its hop, does not reach the origin", async (dialect) => {
    on.origin.answer(replies(200, web, webReply("x")));
    const { headers, body } = request(dialect, "x");
    const method = dialect === "connect-stream" ? "Server" : "Unary";
    const named = { connection: "close, X-Named", "x-named": "secret", "x-kept": "kept" };
    await call(on.proxy.port, { path: `/web/test.v1.Test/${method}`, headers: { ...headers, ...forged, ...hop, ...named }, body });
    const seen = on.origin.seen[0]!.headers;
    for (const name of [...Object.keys(forged), "te", "keep-alive", "proxy-connection", "x-named"]) expect({ name, value: seen[name] }).toEqual({ name, value: undefined });
    expect(seen["x-kept"]).toBe("kept");
  });

  it("the caller's protocol headers are not the origin's", async () => {
    on.origin.answer(replies(200, web, webReply("x")));
    await call(on.proxy.port, { path: "/web/test.v1.Test/Unary", ...request("connect-unary", "x") });
    expect(on.origin.seen[0]).toMatchObject({ method: "POST", url: "/test.v1.Test/Unary", headers: { "x-grpc-web": "1", "content-type": "application/grpc-web+proto" } });
    expect(on.origin.seen[0]!.headers["connect-protocol-version"]).toBeUndefined();
    on.origin.answer(replies(200, { "content-type": "application/proto" }, "x"));
    await call(on.proxy.port, { path: "/connect/test.v1.Test/Unary", ...request("grpc-web", "x") });
    expect(on.origin.seen[0]!.headers).toMatchObject({ "connect-protocol-version": "1", "content-type": "application/proto" });
    expect(on.origin.seen[0]!.headers["x-grpc-web"]).toBeUndefined();
  });

  it("a name with an underscore is invalid_argument: to an origin it may look like another", async () => {
    on.origin.answer(replies(200, web, webReply("x")));
    const { headers, body } = request("grpc-web", "x");
    expect(understand("grpc-web", await call(on.proxy.port, { path: "/web/test.v1.Test/Unary", headers: { ...headers, x_forwarded_for: "6.6.6.6" }, body })).code).toBe("invalid_argument");
    expect(on.origin.seen).toHaveLength(0);
  });

  it("an origin's hop-by-hop headers do not reach the caller", async () => {
    on.origin.answer(replies(200, { ...web, "proxy-connection": "keep-alive", "x-kept": "kept" }, webReply("x")));
    for (const dialect of ["connect-unary", "grpc-web"] as const) {
      const { headers } = await call(on.proxy.port, { path: "/web/test.v1.Test/Unary", ...request(dialect, "x") });
      expect([headers["proxy-connection"], headers["x-kept"]]).toEqual([undefined, "kept"]);
    }
  });

  it("both a content-length and a transfer-encoding smuggle no second request", async () => {
    on.origin.answer(replies(200, web, webReply("x")));
    const smuggled = "POST /web/test.v1.Test/Unary HTTP/1.1\r\nhost: a\r\ncontent-type: application/proto\r\ncontent-length: 1\r\nx-smuggled: 1\r\nconnection: close\r\n\r\nx";
    const body = `0\r\n\r\n${smuggled}`;
    const head = `POST /web/test.v1.Test/Unary HTTP/1.1\r\nhost: a\r\ncontent-type: application/proto\r\ncontent-length: ${body.length}\r\ntransfer-encoding: chunked\r\nconnection: close\r\n\r\n`;
    await raw(on.proxy.port, head + body);
    expect(on.origin.seen.some(({ headers }) => "x-smuggled" in headers)).toBe(false);
  });
});

describe.each(runtimes)("a route's header edits on %s", (runtime) => {
  const edits = "{ set: { x-set: by-route, x-both: route }, remove: [x-secret] }";
  const on = bench(runtime, { route: `request_headers: ${edits}, response_headers: ${edits}, forwarded_headers: true` });

  it.each(callerDialects)("are made on requests and replies in %s", async (dialect) => {
    on.origin.answer(replies(200, { ...web, "x-secret": "1", "x-both": "origin" }, webReply("x")));
    const { headers, body } = request(dialect, "x");
    const method = dialect === "connect-stream" ? "Server" : "Unary";
    const reply = await call(on.proxy.port, { path: `/web/test.v1.Test/${method}`, headers: { ...headers, "x-secret": "1", "x-both": "caller" }, body });
    for (const edited of [on.origin.seen[0]!.headers, reply.headers]) {
      expect([edited["x-set"], edited["x-both"], edited["x-secret"]]).toEqual(["by-route", "route", undefined]);
    }
  });

  it("forwarded headers are the proxy's own, whatever the caller forged", async () => {
    on.origin.answer(replies(200, web, webReply("x")));
    const { headers, body } = request("grpc-web", "x");
    await call(on.proxy.port, { path: "/web/test.v1.Test/Unary", headers: { ...headers, ...forged, host: "api.example.com" }, body });
    const seen = on.origin.seen[0]!.headers;
    expect(seen).toMatchObject({ "x-forwarded-proto": "http", "x-forwarded-host": "api.example.com", "x-forwarded-prefix": "/web" });
    expect(seen["x-forwarded-for"]).toBe("127.0.0.1");
  });
});
