import { describe, expect, it } from "vitest";
import { writeEnvelope } from "../../worker/core/protocol/envelope.ts";
import { call } from "./client.ts";
import { bench, runtimes, within } from "./harness.ts";
import { type Answer, never, replies } from "./origin.ts";
import { type CallerDialect, callerDialects, request, timeout, understand, webReply } from "./wire.ts";

const webHead = { "content-type": "application/grpc-web+proto" };

/** Answers with a head and one message, and then with nothing more. */
const stalls: Answer = (response) => {
  response.writeHead(200, webHead);
  response.write(writeEnvelope(0, Buffer.from("one")));
};

function methodOf(dialect: CallerDialect): string {
  return dialect === "connect-stream" ? "Server" : "Unary";
}

describe.each(runtimes)("deadlines on %s", (runtime) => {
  const on = bench(runtime, { route: "timeout: 0.6s, idle_timeout: 1s, max_duration: 30s" });

  describe.each(callerDialects)("of a caller in %s", (dialect) => {
    const sent = (base: string, method: string, ms?: number) => {
      const { headers, body } = request(dialect, "x");
      return { path: `${base}/test.v1.Test/${method}`, headers: { ...headers, ...(ms === undefined ? {} : timeout(dialect, ms)) }, body };
    };

    it("an origin that never answers is left at the deadline", async () => {
      for (const base of ["/web", "/connect"]) {
        on.origin.answer(never);
        const reply = await call(on.proxy.port, sent(base, methodOf(dialect), 250));
        expect(understand(dialect, reply).code).toBe("deadline_exceeded");
        expect(reply.ms).toBeGreaterThan(200);
        expect(reply.ms).toBeLessThan(600);
        expect(await within(1000, on.origin.seen[0]!.cut, "closing the origin's connection")).toBe(true);
      }
    });

    it("what is left of the time goes upstream", async () => {
      on.origin.answer(replies(200, webHead, webReply("x")));
      await call(on.proxy.port, sent("/web", methodOf(dialect), 500));
      on.origin.answer(replies(200, webHead, webReply("x")));
      await call(on.proxy.port, sent("/web", methodOf(dialect), 500));
      const [, left] = /^(\d+)m$/.exec(String(on.origin.seen[0]!.headers["grpc-timeout"])) ?? [];
      expect(Number(left)).toBeGreaterThan(350);
      expect(Number(left)).toBeLessThanOrEqual(500);
    });

    it("a time-out that cannot be read is invalid_argument", async () => {
      const { headers, body } = request(dialect, "x");
      const name = dialect.startsWith("connect") ? "connect-timeout-ms" : "grpc-timeout";
      const reply = await call(on.proxy.port, { path: `/web/test.v1.Test/${methodOf(dialect)}`, headers: { ...headers, [name]: "soon" }, body });
      expect(understand(dialect, reply).code).toBe("invalid_argument");
    });

    it("a request body that drips is left at the deadline", async () => {
      on.origin.answer(never);
      const { path, headers, body } = sent("/web", methodOf(dialect), 300);
      const drip = Array.from({ length: 20 }, (_, index) => (index === 0 ? body.subarray(0, 1) : Buffer.from("A")));
      const reply = await call(on.proxy.port, { path, headers, body: drip, pause: 100 });
      expect(understand(dialect, reply).code).toBe("deadline_exceeded");
      expect(reply.ms).toBeLessThan(900);
    });
  });

  it.each(["connect-unary", "grpc-web"] as const)("the route's time-out holds where a caller in %s gives none, or a longer one", async (dialect) => {
    const { headers, body } = request(dialect, "x");
    for (const more of [{}, timeout(dialect, 20_000)]) {
      on.origin.answer(never);
      const reply = await call(on.proxy.port, { path: "/web/test.v1.Test/Unary", headers: { ...headers, ...more }, body });
      expect(understand(dialect, reply).code).toBe("deadline_exceeded");
      expect(reply.ms).toBeLessThan(1200);
    }
  });

  it("a piped unary reply that stalls is cut at the deadline", async () => {
    on.origin.answer((response) => {
      response.writeHead(200, { "content-type": "application/proto" });
      response.write("half");
    });
    const { headers, body } = request("connect-unary", "x");
    const reply = await call(on.proxy.port, { path: "/connect/test.v1.Test/Unary", headers: { ...headers, ...timeout("connect-unary", 300) }, body });
    expect(reply.cut).toBe(true);
    expect(reply.ms).toBeLessThan(900);
  });

  it("a stream ends with its end, whether or not the origin goes on", async () => {
    on.origin.answer((response) => {
      response.writeHead(200, webHead);
      response.write(webReply("x"));
    });
    const { headers, body } = request("connect-stream", "x");
    const reply = await call(on.proxy.port, { path: "/web/test.v1.Test/Server", headers, body });
    expect(understand("connect-stream", reply).code).toBe("ok");
    expect(reply.ms).toBeLessThan(800);
  });

  it.each(["connect-stream", "grpc-web", "grpc-web-text"] as const)("a stream that stalls ends at the deadline in %s, after what had come", async (dialect) => {
    on.origin.answer(stalls);
    const { headers, body } = request(dialect, "x");
    const reply = await call(on.proxy.port, { path: "/web/test.v1.Test/Server", headers: { ...headers, ...timeout(dialect, 300) }, body });
    const { code, messages } = understand(dialect, reply);
    expect({ code, messages: messages.map(({ data }) => data.toString()) }).toEqual({ code: "deadline_exceeded", messages: ["one"] });
    expect(reply.ms).toBeLessThan(800);
    expect(await within(1000, on.origin.seen[0]!.cut)).toBe(true);
  });

  it.each(["connect-stream", "grpc-web", "grpc-web-text"] as const)("a stream on which nothing moves ends after the idle time-out in %s", async (dialect) => {
    on.origin.answer(stalls);
    const reply = await call(on.proxy.port, { path: "/web/test.v1.Test/Server", ...request(dialect, "x") });
    const { code, messages } = understand(dialect, reply);
    expect({ code, messages: messages.length }).toEqual({ code: "deadline_exceeded", messages: 1 });
    expect(reply.ms).toBeGreaterThan(900);
    expect(reply.ms).toBeLessThan(2000);
    expect(await within(1000, on.origin.seen[0]!.cut)).toBe(true);
  });

  it("many streams on which nothing moves all leave their origin, also where memory was collected meanwhile", async () => {
    for (let round = 0; round < 3; round++) {
      on.origin.answer(stalls);
      await Promise.all(Array.from({ length: 40 }, () => call(on.proxy.port, { path: "/web/test.v1.Test/Server", ...request("grpc-web", "x") })));
      const cuts = await within(1000, Promise.all(on.origin.seen.map(({ cut }) => cut)), "closing the origin's connections");
      expect(cuts).toEqual(Array.from({ length: 40 }, () => true));
    }
  });

  it("a stream that moves now and then outlives the idle time-out", async () => {
    on.origin.answer((response) => {
      response.writeHead(200, webHead);
      let left = 4;
      const timer = setInterval(() => (left-- > 0 ? response.write(writeEnvelope(0, Buffer.from("x"))) : (clearInterval(timer), response.end(webReply("y")))), 400);
    });
    const reply = await call(on.proxy.port, { path: "/web/test.v1.Test/Server", ...request("connect-stream", "x") });
    expect(understand("connect-stream", reply)).toMatchObject({ code: "ok", messages: { length: 5 } });
    expect(reply.ms).toBeGreaterThan(1500);
  });
});
