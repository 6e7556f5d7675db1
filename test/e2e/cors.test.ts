import { describe, expect, it } from "vitest";
import { call } from "./client.ts";
import { bench, runtimes } from "./harness.ts";
import { replies } from "./origin.ts";
import { callerDialects, request, webReply } from "./wire.ts";

const app = "https://app.example.com";
const other = "https://evil.example.com";
const path = "/web/test.v1.Test/Unary";
const asks = { "access-control-request-method": "POST", "access-control-request-headers": "content-type,x-grpc-web,x-tenant" };

function list(value: string | string[] | undefined): string[] {
  return String(value).toLowerCase().split(/,\s*/);
}

describe.each(runtimes)("CORS on %s", (runtime) => {
  const on = bench(runtime, {
    top: `cors: { allowed_origins: ["${app}"], allow_credentials: true, allowed_headers: [x-tenant], exposed_headers: [x-late], max_age: 600s }`,
  });

  it("a preflight from an allowed page says what is allowed, and varies by all that it depends on", async () => {
    const { status, headers, body } = await call(on.proxy.port, { method: "OPTIONS", path, headers: { origin: app, ...asks } });
    expect([status, body.length]).toEqual([204, 0]);
    expect(headers).toMatchObject({
      "access-control-allow-origin": app,
      "access-control-allow-credentials": "true",
      "access-control-max-age": "600",
    });
    expect(list(headers["access-control-allow-methods"])).toEqual(expect.arrayContaining(["get", "post"]));
    expect(list(headers["access-control-allow-headers"])).toEqual(
      expect.arrayContaining(["content-type", "connect-protocol-version", "connect-timeout-ms", "grpc-timeout", "x-grpc-web", "x-user-agent", "x-tenant"]),
    );
    expect(list(headers.vary)).toEqual(expect.arrayContaining(["origin", "access-control-request-method", "access-control-request-headers"]));
  });

  it("a preflight from another page is refused, and reaches no origin", async () => {
    on.origin.answer(replies(200, {}));
    const { status, headers } = await call(on.proxy.port, { method: "OPTIONS", path, headers: { origin: other, ...asks } });
    expect([status, headers["access-control-allow-origin"], headers["access-control-allow-headers"]]).toEqual([403, undefined, undefined]);
    expect(list(headers.vary)).toContain("origin");
    expect(on.origin.seen).toHaveLength(0);
  });

  it.each(callerDialects)("a reply in %s exposes its own headers by name, and what the origin says of CORS is not relayed", async (dialect) => {
    const head = { "content-type": "application/grpc-web+proto", "x-own": "1", "access-control-allow-origin": "*", "access-control-expose-headers": "x-lie" };
    on.origin.answer(replies(200, head, webReply("x", "grpc-status:0\r\nx-end:1\r\n")));
    const { headers, body } = request(dialect, "x");
    const method = dialect === "connect-stream" ? "Server" : "Unary";
    const reply = await call(on.proxy.port, { path: `/web/test.v1.Test/${method}`, headers: { ...headers, origin: app }, body });
    expect(reply.headers["access-control-allow-origin"]).toBe(app);
    expect(list(reply.headers.vary)).toContain("origin");
    const exposed = list(reply.headers["access-control-expose-headers"]);
    const own = dialect === "connect-unary" ? ["x-own", "trailer-x-end"] : ["x-own"];
    expect(exposed).toEqual(expect.arrayContaining(["grpc-status", "grpc-message", "grpc-status-details-bin", "x-late", ...own]));
    expect(exposed).not.toContain("x-lie");
  });

  it.each([
    { what: "an unknown method", sent: { path: "/web/test.v1.Nope/Unary", ...request("connect-unary", "x") } },
    { what: "a refused GET", sent: { method: "GET", path: `${path}?encoding=json&message=%7B%7D` } },
    { what: "an unsupported content type", sent: { path, headers: { "content-type": "text/plain" }, body: "x" } },
    { what: "headers over the limit", sent: { path, headers: { ...request("grpc-web", "").headers, "x-long": "a".repeat(40_000) }, body: "x" } },
    { what: "a long URL", sent: { path: `${path}?${"a".repeat(9000)}`, ...request("grpc-web", "x") } },
    { what: "an origin's error", sent: { path, ...request("connect-unary", "x") } },
  ])("the error of $what is readable by the page", async ({ sent }) => {
    on.origin.answer(replies(503, { "content-type": "text/plain" }, "down"));
    const reply = await call(on.proxy.port, { ...sent, headers: { ...("headers" in sent ? sent.headers : {}), origin: app } });
    expect(reply.headers["access-control-allow-origin"]).toBe(app);
    expect(list(reply.headers.vary)).toContain("origin");
  });

  it("a page that is not allowed gets no CORS headers, but still Vary; nor does a caller without an origin", async () => {
    on.origin.answer(replies(200, { "content-type": "application/grpc-web+proto" }, webReply("x")));
    const { headers, body } = request("grpc-web", "x");
    for (const origin of [{ origin: other }, { origin: `${app}.evil.com` }, { origin: "null" }, {}]) {
      const reply = await call(on.proxy.port, { path, headers: { ...headers, ...origin }, body });
      expect(Object.keys(reply.headers).filter((name) => name.startsWith("access-control-"))).toEqual([]);
      expect(list(reply.headers.vary)).toContain("origin");
    }
  });
});
