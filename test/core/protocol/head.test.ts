import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { getQuery, parseGetQuery } from "../../../worker/core/protocol/connect-get.ts";
import { cors } from "../../../worker/core/protocol/cors.ts";
import { contentTypeOf, formFromContentType } from "../../../worker/core/protocol/dialect.ts";
import { Fields } from "../../../worker/core/protocol/fields.ts";
import { replyMetadata, surveyor, takeTrailerPrefixed } from "../../../worker/core/protocol/metadata.ts";

test("the message of a GET is octets, which need not be UTF-8", () => {
  const messageOf = (query: string) => {
    const read = parseGetQuery(query);
    return "value" in read ? [...read.value.message] : read.error;
  };
  expect(messageOf("encoding=proto&message=%1A%02%C8%05")).toEqual([0x1a, 0x02, 0xc8, 0x05]);
  expect(messageOf("encoding=proto&m%65ssage=%01&message=%02")).toEqual([1]);
  expect(messageOf("encoding=proto&message")).toEqual([]);
  expect(messageOf("message=a+b%FFé%zz&encoding=proto")).toEqual([0x61, 0x20, 0x62, 0xff, 0xc3, 0xa9, 0x25, 0x7a, 0x7a]);
});

describe("content types", () => {
  test.each([
    ["application/proto", "connect-unary", "proto"],
    ["application/json; charset=utf-8", "connect-unary", "json"],
    ["application/connect+json", "connect-stream", "json"],
    ["application/grpc-web", "grpc-web", "proto"],
    ["application/grpc-web-text+proto", "grpc-web-text", "proto"],
    ["Application/Grpc-Web+Proto", "grpc-web", "proto"],
  ])("%s is %s in %s", (type, dialect, codec) => expect(formFromContentType(type)).toEqual({ dialect, codec }));
  test.each(["", "text/plain", "application/grpc", "application/connect+xml", "application/json; charset=latin1"])("%j is none of ours", (type) =>
    expect(formFromContentType(type)).toBeUndefined());
  test("are written exactly", () => expect(contentTypeOf("connect-get", "json")).toBe("application/json"));
});

describe("Connect GET", () => {
  test("a query that was written is read back", () => {
    fc.assert(
      fc.property(fc.uint8Array(), fc.constantFrom("proto" as const, "json" as const), fc.constantFrom("identity", "gzip"), (message, codec, encoding) => {
        const read = parseGetQuery(getQuery(codec, message, encoding));
        expect(read).toEqual({ value: { codec, message, encoding, version: "v1" } });
      }),
    );
  });
  const text = (query: string) => {
    const read = parseGetQuery(query);
    return "value" in read ? new TextDecoder().decode(read.value.message) : read.error;
  };
  test("parameters come in any order", () => expect(text("message=%7B%7D&connect=v1&encoding=json")).toBe("{}"));
  test.each(["%20", "+"])("a space may be %s", (space) => expect(text(`encoding=json&message=%7b${space}%7d`)).toBe("{ }"));
  test.each(["e30", "e30%3D", "e30="])("base64 may be %s", (base64) => expect(text(`encoding=json&base64=1&message=${base64}`)).toBe("{}"));
  test("what is missing or wrong is named", () => {
    expect(text("encoding=json")).toContain('"message"');
    expect(text("message=a")).toContain('"encoding"');
    expect(text("encoding=xml&message=a")).toContain("proto or json");
    expect(text("encoding=proto&base64=1&message=!!")).toContain("base64");
  });
});

describe("headers", () => {
  test("of one hop, and those that Connection names, do not cross", () => {
    const { metadata } = surveyor()(new Headers({ connection: "close, x-secret", te: "trailers", "x-forwarded-for": "6.6.6.6", "content-type": "a", "x-secret": "c", "x-a": "b" }));
    expect([...metadata]).toEqual([["x-a", "b"]]);
  });
  test("with an underscore are reported", () => expect(surveyor()(new Headers({ x_user: "1" })).underscored).toBe("x_user"));
  test("that an origin may read as another that does not cross, do not either", () => {
    const callers = { read: new Set<string>(), withheld: new Set(["x-user-id"]) };
    const asked = new Headers({ "x.user.id": "root", "x~user~id": "root", "x+user-id": "root", "x.forwarded.for": "6.6.6.6", "cf.connecting.ip": "6.6.6.6", "x-forwarded": "for=6.6.6.6", "client-cert": ":AAAA:", "x.trace": "1" });
    expect([...surveyor(callers)(asked).metadata]).toEqual([["x.trace", "1"]]);
  });
  test("of a reply that Connection names, and other ways to the origin, do not reach the caller", () => {
    expect([...replyMetadata(new Headers({ connection: "X-Hop", "x-hop": "secret", "alt-svc": 'h3=":443"', x: "y" }), "metadata")]).toEqual([["x", "y"]]);
  });
  test("behind trailer- are trailing metadata", () => {
    const headers = new Fields({ "trailer-a": "1", b: "2" });
    expect([...takeTrailerPrefixed(headers)!]).toEqual([["a", "1"]]);
    expect([...headers]).toEqual([["b", "2"]]);
  });
});

describe("CORS", () => {
  const config = { allowedOrigins: ["https://a.example"], allowCredentials: true, allowedHeaders: ["x-mine"], exposedHeaders: [], maxAgeSeconds: 7200 };
  const preflight = (origin: string) =>
    cors(config).preflight(new Headers({ origin, "access-control-request-method": "POST", "access-control-request-headers": "x-mine" }));

  test("a preflight from an allowed page names the headers of every RPC client", () => {
    const { status, headers } = preflight("https://a.example");
    expect(status).toBe(204);
    expect(headers.get("access-control-allow-headers")).toContain("connect-timeout-ms");
    expect(headers.get("access-control-allow-headers")).toContain("x-mine");
    expect(headers.get("access-control-allow-credentials")).toBe("true");
    expect(headers.get("vary")).toContain("Origin");
  });
  test.each(["https://a.example.evil", "http://a.example", "null"])("a page from %s is refused", (origin) => {
    const { status, headers } = preflight(origin);
    expect(status).toBe(403);
    expect(headers.get("access-control-allow-origin")).toBeNull();
  });
  test("a reply shows its own headers by name, and says Vary: Origin to everybody", () => {
    const headers = new Fields({ "x-own": "1", "trailer-t": "2", "content-type": "application/proto" });
    cors(config).onReply(headers, "https://a.example");
    expect(headers.get("access-control-expose-headers")?.split(", ")).toEqual(expect.arrayContaining(["grpc-status", "x-own", "trailer-t"]));
    const other = new Fields();
    cors(config).onReply(other, null);
    expect([...other]).toEqual([["vary", "Origin"]]);
  });
});

test("headers of any name cross, and every cookie of a reply", () => {
  expect([...surveyor()(new Headers([["__proto__x", "1"], ["constructor", "2"]])).metadata]).toEqual([["__proto__x", "1"], ["constructor", "2"]]);
  expect([...replyMetadata(new Headers([["set-cookie", "a=1"], ["set-cookie", "b=2"], ["x", "y"]]), "metadata")]).toEqual([["x", "y"], ["set-cookie", "a=1"], ["set-cookie", "b=2"]]);
});
