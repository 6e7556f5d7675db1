import { create, fromBinary, fromJsonString, toBinary, toJsonString } from "@bufbuild/protobuf";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Origin, startOrigin } from "../../demo/origins.ts";
import { BookSchema, GetBookRequestSchema, GetBookResponseSchema, ListBooksResponseSchema } from "../../gen/fairlead/demo/v1/library_pb.js";
import { writeEnvelope } from "../../worker/core/protocol/envelope.ts";
import { call } from "./client.ts";
import { defects, type Proxy, runtimes, startProxy } from "./harness.ts";
import { type CallerDialect, request, understand } from "./wire.ts";

/** Each base path leads to one origin: what it speaks, and how a call must arrive there. */
const origins = [
  { base: "/connect", speaks: "connect", codecs: ["proto", "json"] },
  { base: "/web", speaks: "grpc-web", codecs: ["proto", "json"] },
  { base: "/web-proto", speaks: "grpc-web", codecs: ["proto"] },
  { base: "/connect-proto", speaks: "connect", codecs: ["proto"] },
] as const;

function config(connect: string, web: string): string {
  const cluster = ({ base, speaks, codecs }: (typeof origins)[number]) =>
    `  ${base.slice(1)}: { dialect: ${speaks === "connect" ? "CONNECT" : "GRPC_WEB"}, codecs: [${codecs.join(", ").toUpperCase()}], localities: [{ region: here, endpoints: [{ url: "${speaks === "connect" ? connect : web}" }] }] }`;
  return `
descriptors: [demo.binpb]
clusters:
${origins.map(cluster).join("\n")}
routes:
${origins.map(({ base }) => `  - { match: { service: fairlead.demo.v1.LibraryService, base_path: ${base} }, cluster: ${base.slice(1)} }`).join("\n")}
`;
}

const service = "/fairlead.demo.v1.LibraryService";
const odyssey = create(GetBookRequestSchema, { isbn: "9780140449136" });

function written(codec: string): Uint8Array {
  return codec === "json" ? Buffer.from(toJsonString(GetBookRequestSchema, odyssey)) : toBinary(GetBookRequestSchema, odyssey);
}

function title(codec: string, data: Buffer): string | undefined {
  return (codec === "json" ? fromJsonString(GetBookResponseSchema, data.toString()) : fromBinary(GetBookResponseSchema, data)).book?.title;
}

describe.each(runtimes)("dialects on %s", (runtime) => {
  let connect: Origin, web: Origin, proxy: Proxy;
  beforeAll(async () => {
    [connect, web] = await Promise.all([startOrigin({ dialect: "connect", port: 0 }), startOrigin({ dialect: "grpc-web", port: 0 })]);
    proxy = await startProxy(runtime, config(connect.url, web.url));
  });
  afterAll(async () => {
    await Promise.all([proxy.stop(), connect.stop(), web.stop()]);
    expect(defects(proxy.log())).toEqual([]);
  });

  const unary = (["connect-unary", "grpc-web", "grpc-web-text"] as const).flatMap((dialect) =>
    (["proto", "json"] as const).flatMap((codec) => origins.map((origin) => ({ dialect, codec, ...origin }))),
  );

  it.each(unary)("a unary call in $dialect $codec reaches the origin below $base and comes back", async ({ dialect, codec, base, speaks, codecs }) => {
    const reply = await call(proxy.port, { path: `${base}${service}/GetBook`, ...request(dialect, written(codec), codec) });
    const upstream = speaks === "grpc-web" ? "grpc-web" : "connect-unary";
    expect(reply.headers["x-came-as"]).toBe(`${upstream} ${(codecs as readonly string[]).includes(codec) ? codec : "proto"}`);
    const { code, messages } = understand(dialect, reply);
    expect(code).toBe("ok");
    expect(messages.map(({ data }) => title(codec, data))).toEqual(["The Odyssey"]);
  });

  it.each(unary)("an error in $dialect $codec from the origin below $base keeps its code and message", async ({ dialect, codec, base }) => {
    const body = codec === "json" ? '{"isbn":"1 ü%"}' : toBinary(GetBookRequestSchema, create(GetBookRequestSchema, { isbn: "1 ü%" }));
    const reply = await call(proxy.port, { path: `${base}${service}/GetBook`, ...request(dialect, body, codec) });
    expect(understand(dialect, reply)).toMatchObject({ code: "not_found", message: 'no book has the ISBN "1 ü%"', messages: [] });
  });

  const streams = (["connect-stream", "grpc-web", "grpc-web-text"] as const).flatMap((dialect) =>
    (["proto", "json"] as const).flatMap((codec) => origins.map(({ base }) => ({ dialect: dialect as CallerDialect, codec, base }))),
  );

  it.each(streams)("a server stream in $dialect $codec comes whole from the origin below $base", async ({ dialect, codec, base }) => {
    const reply = await call(proxy.port, { path: `${base}${service}/ListBooks`, ...request(dialect, codec === "json" ? '{"author":"Austen"}' : Buffer.from("\x0a\x06Austen"), codec) });
    const { code, messages } = understand(dialect, reply);
    const books = messages.map(({ data }) => (codec === "json" ? fromJsonString(ListBooksResponseSchema, data.toString()) : fromBinary(ListBooksResponseSchema, data)).book);
    expect({ code, titles: books.map((book) => (book ?? create(BookSchema)).title) }).toEqual({ code: "ok", titles: ["Pride and Prejudice", "Emma"] });
  });

  it.each(origins)("a Connect GET reaches the origin below $base, its parameters in any order", async ({ base }) => {
    const json = await call(proxy.port, { method: "GET", path: `${base}${service}/GetBook?message=%7B%22isbn%22:+%229780140449136%22%7D&connect=v1&encoding=json` });
    expect(title("json", understand("connect-unary", json).messages[0]!.data)).toBe("The Odyssey");
    const bare = Buffer.from(written("proto")).toString("base64url");
    for (const message of [bare, `${Buffer.from(written("proto")).toString("base64").replaceAll("=", "%3D")}`]) {
      const proto = await call(proxy.port, { method: "GET", path: `${base}${service}/GetBook?base64=1&encoding=proto&message=${message}` });
      expect(title("proto", understand("connect-unary", proto).messages[0]!.data)).toBe("The Odyssey");
    }
  });

  it("a GET stays a GET to a Connect origin, and becomes a POST to a gRPC-Web one", async () => {
    const path = `${service}/GetBook?connect=v1&encoding=proto&base64=1&message=${Buffer.from(written("proto")).toString("base64url")}`;
    const [atConnect, atWeb] = await Promise.all(["/connect", "/web"].map((base) => call(proxy.port, { method: "GET", path: base + path })));
    expect([atConnect!.headers["x-came-as"], atWeb!.headers["x-came-as"]]).toEqual(["connect-get proto", "grpc-web proto"]);
  });

  it.each(origins)("grpc-web-text with padding in the middle, cut into odd chunks, is read ($base)", async ({ base }) => {
    const frame = Buffer.from(writeEnvelope(0, written("proto")));
    const text = [frame.subarray(0, 1), frame.subarray(1, 5), frame.subarray(5, 12), frame.subarray(12)].map((part) => part.toString("base64")).join("");
    expect(text).toMatch(/=[A-Za-z0-9]/);
    const body = [1, 4, 9, 10, 17, text.length].map((to, index, cuts) => Buffer.from(text.slice(cuts[index - 1] ?? 0, to)));
    for (const method of ["GetBook", "ListBooks"]) {
      const reply = await call(proxy.port, { path: `${base}${service}/${method}`, headers: { "content-type": "application/grpc-web-text" }, body, pause: 5 });
      expect(understand("grpc-web-text", reply).code).toBe("ok");
    }
  });

  it.each([
    { sent: "grpc-web-text", accept: "application/grpc-web+proto", answered: "grpc-web" },
    { sent: "grpc-web-text", accept: "*/*", answered: "grpc-web-text" },
    { sent: "grpc-web", accept: "application/grpc-web-text", answered: "grpc-web-text" },
    { sent: "grpc-web", accept: "*/*", answered: "grpc-web" },
  ] as const)("$sent with Accept $accept is answered in $answered", async ({ sent, accept, answered }) => {
    const { headers, body } = request(sent, written("proto"));
    for (const method of ["GetBook", "ListBooks"]) {
      const reply = await call(proxy.port, { path: `/connect${service}/${method}`, headers: { ...headers, accept }, body });
      expect(understand(answered, reply).code).toBe("ok");
    }
  });

  it("a client stream is summed up, in either direction of dialects", async () => {
    const books = [1, 2, 3].map(() => writeEnvelope(0, written("proto")));
    for (const base of ["/connect", "/web"]) {
      for (const dialect of ["connect-stream", "grpc-web"] as const) {
        const reply = await call(proxy.port, { path: `${base}${service}/ReturnBooks`, headers: request(dialect, "").headers, body: books, pause: 5 });
        const { code, messages } = understand(dialect, reply);
        expect({ code, bytes: messages.map(({ data }) => [...data]) }).toEqual({ code: "ok", bytes: [[0x10, 3]] });
      }
    }
  });
});
