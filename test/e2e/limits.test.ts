import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { gzipSync } from "node:zlib";
import { writeEnvelope } from "../../worker/core/protocol/envelope.ts";
import { call, open } from "./client.ts";
import { bench, runtimes, within } from "./harness.ts";
import { replies } from "./origin.ts";
import { type CallerDialect, callerDialects, request, understand, webReply } from "./wire.ts";

const limit = 10_000;
const encodingHeader = { "connect-unary": "content-encoding", "connect-stream": "connect-content-encoding", "grpc-web": "grpc-encoding", "grpc-web-text": "grpc-encoding" };
const web = { "content-type": "application/grpc-web+proto" };

function methodOf(dialect: CallerDialect): string {
  return dialect === "connect-stream" ? "Client" : "Unary";
}

/** Cuts bytes into chunks, so that their length is not declared. */
function chunked(bytes: Uint8Array): Uint8Array[] {
  return Array.from({ length: Math.ceil(bytes.length / 1500) }, (_, index) => bytes.subarray(index * 1500, (index + 1) * 1500));
}

/** A request whose only message is compressed. */
function compressed(dialect: CallerDialect, data: Uint8Array) {
  const headers = { ...request(dialect, "").headers, [encodingHeader[dialect]]: "gzip" };
  if (dialect === "connect-unary") return { headers, body: data };
  const body = Buffer.from(writeEnvelope(1, data));
  return { headers, body: dialect === "grpc-web-text" ? Buffer.from(body.toString("base64")) : body };
}

/** What the process holds in memory, in MiB. */
function residentMiB(pid: number): number {
  return Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]) / 1024;
}

describe.each(runtimes)("limits on %s", (runtime) => {
  const on = bench(runtime, { top: `limits: { request_message_bytes: ${limit}, header_bytes: 4096, url_bytes: 2048 }` });

  /** Whether some message of a refused call came to an origin. */
  async function messageReachedOrigin(): Promise<boolean> {
    const bodies = await Promise.all(on.origin.seen.map(({ body }) => body));
    return bodies.some((body) => body.length > 0);
  }

  describe.each(callerDialects)("in %s", (dialect) => {
    const path = (base: string) => `${base}/test.v1.Test/${methodOf(dialect)}`;

    it("a message of exactly the limit goes through, declared, chunked or compressed", async () => {
      on.origin.answer(replies(200, web, webReply("x")));
      const { headers, body } = request(dialect, Buffer.alloc(limit));
      const packed = compressed(dialect, gzipSync(Buffer.alloc(limit)));
      const longer = compressed(dialect, gzipSync(randomBytes(limit)));
      for (const sent of [{ headers, body }, { headers, body: chunked(body) }, packed, longer]) {
        expect(understand(dialect, await call(on.proxy.port, { path: path("/web"), ...sent })).code).toBe("ok");
      }
    });

    it("a message over the limit is resource_exhausted, declared or chunked, and reaches no origin", async () => {
      const { headers, body } = request(dialect, Buffer.alloc(limit + 1));
      for (const base of ["/web", "/connect"]) {
        for (const sent of [body, chunked(body)]) {
          on.origin.answer(replies(200, web, webReply("x")));
          expect(understand(dialect, await call(on.proxy.port, { path: path(base), headers, body: sent }))).toMatchObject({ code: "resource_exhausted", message: expect.stringContaining(`${limit} bytes`) });
          expect(await messageReachedOrigin()).toBe(false);
        }
      }
    });

    it("a message that gzip makes small is resource_exhausted and reaches no origin", async () => {
      const bomb = compressed(dialect, gzipSync(Buffer.alloc(9_000_000)));
      for (const base of ["/web", "/connect"]) {
        on.origin.answer(replies(200, web, webReply("x")));
        expect(understand(dialect, await call(on.proxy.port, { path: path(base), ...bomb })).code).toBe("resource_exhausted");
        expect(await messageReachedOrigin()).toBe(false);
      }
    });

    it("what is no gzip is invalid_argument", async () => {
      const reply = await call(on.proxy.port, { path: path("/web"), ...compressed(dialect, Buffer.from("no gzip")) });
      expect(understand(dialect, reply).code).toBe("invalid_argument");
    });

    it("headers over the limit are resource_exhausted", async () => {
      on.origin.answer(replies(200, web, webReply("x")));
      const { headers, body } = request(dialect, "x");
      const reply = await call(on.proxy.port, { path: path("/web"), headers: { ...headers, "x-long": "a".repeat(5000) }, body });
      expect(understand(dialect, reply).code).toBe("resource_exhausted");
      expect(on.origin.seen).toHaveLength(0);
    });

    it("a long URL is HTTP 414", async () => {
      const { headers, body } = request(dialect, "x");
      const reply = await call(on.proxy.port, { path: `${path("/web")}?${"a".repeat(3000)}`, headers, body });
      expect(reply.status).toBe(414);
    });
  });

  it.each(["connect-stream", "grpc-web", "grpc-web-text"] as const)("a prefix that claims 4 GiB in %s is refused at once and costs no memory", async (dialect) => {
    on.origin.answer(replies(200, web, webReply("x")));
    const prefix = Buffer.from([0, 0xff, 0xff, 0xff, 0xff, 1]);
    const body = [dialect === "grpc-web-text" ? Buffer.from(prefix.toString("base64")) : prefix];
    const before = residentMiB(on.proxy.pid);
    for (let round = 0; round < 20; round++) {
      const method = dialect === "connect-stream" || round % 2 === 0 ? "Client" : "Unary";
      const reply = await call(on.proxy.port, { path: `/web/test.v1.Test/${method}`, headers: request(dialect, "").headers, body });
      expect(understand(dialect, reply).code).toMatch(/^(resource_exhausted|invalid_argument)$/);
      expect(reply.ms).toBeLessThan(1000);
    }
    expect(residentMiB(on.proxy.pid) - before).toBeLessThan(64);
  });

  it("a prefix that claims 4 GiB in a stream that goes on is refused before its message comes", async () => {
    on.origin.answer(replies(200, web, webReply("x")));
    const { request: sending, head } = open(on.proxy.port, {
      path: "/web/test.v1.Test/Client",
      headers: request("grpc-web", "").headers,
      body: [Buffer.from([0, 0xff, 0xff, 0xff, 0xff]), ...Array.from({ length: 50 }, () => Buffer.alloc(10))],
      pause: 100,
    });
    const response = await within(1500, head, "the refusal");
    expect(response.statusCode).toBe(200);
    sending.on("error", () => {}).destroy();
  });

  it("a reply of an origin whose prefix claims 4 GiB costs no memory", async () => {
    on.origin.answer(replies(200, web, Buffer.from([0, 0xff, 0xff, 0xff, 0xff, 1])));
    const before = residentMiB(on.proxy.pid);
    for (let round = 0; round < 20; round++) {
      expect(understand("grpc-web", await call(on.proxy.port, { path: "/web/test.v1.Test/Unary", ...request("grpc-web", "x") })).code).toBe("internal");
      expect((await call(on.proxy.port, { path: "/web/test.v1.Test/Server", ...request("grpc-web", "x") })).cut).toBe(true);
    }
    expect(residentMiB(on.proxy.pid) - before).toBeLessThan(64);
  });

  it("a hundred slow uploads at once keep no other call waiting", async () => {
    on.origin.answer(replies(200, web, webReply("x")));
    const body = [writeEnvelope(0, Buffer.alloc(1000)), ...Array.from({ length: 10 }, () => writeEnvelope(0, Buffer.alloc(100)))];
    const slow = Array.from({ length: 100 }, () => call(on.proxy.port, { path: "/web/test.v1.Test/Client", headers: request("connect-stream", "").headers, body, pause: 150 }));
    for (let round = 0; round < 20; round++) {
      const reply = await call(on.proxy.port, { path: "/web/test.v1.Test/Unary", ...request("connect-unary", "x") });
      expect(understand("connect-unary", reply).code).toBe("ok");
      expect(reply.ms).toBeLessThan(1000);
    }
    const codes = (await Promise.all(slow)).map((reply) => understand("connect-stream", reply).code);
    expect(new Set(codes)).toEqual(new Set(["ok"]));
  });
});
