import { describe, expect, it } from "vitest";
import { writeEnvelope } from "../../worker/core/protocol/envelope.ts";
import { call } from "./client.ts";
import { bench, defects, runtimes, within } from "./harness.ts";
import { type Answer, replies } from "./origin.ts";
import { type CallerDialect, request, trailers, understand, webReply } from "./wire.ts";

const web = { "content-type": "application/grpc-web+proto" };
const connectStream = { "content-type": "application/connect+proto" };
const message = writeEnvelope(0, Buffer.from("hello"));

/** A caller's way to a unary method, and to a server stream. */
const unary = (["connect-unary", "grpc-web", "grpc-web-text"] as const).map((dialect) => ({ dialect: dialect as CallerDialect, method: "Unary" }));
const stream = (["connect-stream", "grpc-web", "grpc-web-text"] as const).map((dialect) => ({ dialect: dialect as CallerDialect, method: "Server" }));

/** Sends the head and a part of the body, then breaks the connection. */
function breaks(headers: Record<string, string>, part: Uint8Array): Answer {
  return async (response, seen) => {
    await seen.body;
    response.writeHead(200, headers);
    response.write(part, () => setTimeout(() => response.socket?.destroy(), 20));
  };
}

describe.each(runtimes)("odd replies on %s", (runtime) => {
  const on = bench(runtime);

  async function answerTo({ dialect, method }: { dialect: CallerDialect; method: string }, base = "/web") {
    return call(on.proxy.port, { path: `${base}/test.v1.Test/${method}`, ...request(dialect, "x") });
  }

  describe.each([...unary, ...stream])("$method to a caller in $dialect", (caller) => {
    it.each(["/web", "/connect"])("that is refused by its head lets its origin's connection go, though its body never ends: %s", async (base) => {
      on.origin.answer((response) => void response.writeHead(503, { "content-type": "text/html" }).write("<h1>no healthy upstream</h1>"));
      if (base === "/connect" && caller.method === "Server" && caller.dialect !== "connect-stream") return;
      expect(understand(caller.dialect, await answerTo(caller, base)).code).toBe("unavailable");
      const cuts = await within(1000, Promise.all(on.origin.seen.map(({ cut }) => cut)), "closing the origin's connections");
      expect(new Set(cuts)).toEqual(new Set([true]));
    });

    it("without an end is internal", async () => {
      on.origin.answer(replies(200, web, message));
      expect(understand(caller.dialect, await answerTo(caller))).toMatchObject({ code: "internal", message: expect.stringContaining("no end") as string });
    });

    it("with no body at all is internal", async () => {
      on.origin.answer(replies(200, web));
      expect(understand(caller.dialect, await answerTo(caller)).code).toBe("internal");
    });

    it("as trailers-only headers is that end", async () => {
      on.origin.answer(replies(200, { ...web, "grpc-status": "5", "grpc-message": "not%20here", "x-end": "there" }));
      const { code, message, trailers } = understand(caller.dialect, await answerTo(caller));
      expect({ code, message, end: trailers["x-end"] }).toEqual({ code: "not_found", message: "not here", end: "there" });
    });

    it("as trailers-only headers with an empty trailer frame is that end", async () => {
      on.origin.answer(replies(200, { ...web, "grpc-status": "5" }, trailers("")));
      expect(understand(caller.dialect, await answerTo(caller)).code).toBe("not_found");
    });

    it("with upper-case trailers and LF is read, and written as it should be", async () => {
      on.origin.answer(replies(200, web, Buffer.concat([message, trailers("Grpc-Status: 9\nGrpc-Message:  not%20yet\nX-End: 1")])));
      const { code, message: text, trailers: end } = understand(caller.dialect, await answerTo(caller));
      expect({ code, text, end: end["x-end"] }).toEqual({ code: "failed_precondition", text: "not yet", end: "1" });
    });

    it("with an unknown grpc-status is unknown", async () => {
      on.origin.answer(replies(200, web, Buffer.concat([message, trailers("grpc-status:99\r\n")])));
      expect(understand(caller.dialect, await answerTo(caller)).code).toBe("unknown");
    });

    it("with a trailer frame that is no header block is internal", async () => {
      on.origin.answer(replies(200, web, Buffer.concat([message, trailers("no colon here\r\n")])));
      expect(understand(caller.dialect, await answerTo(caller)).code).toBe("internal");
    });
  });

  it.each(unary)("a unary reply that ends in its message is internal to a caller in $dialect", async (caller) => {
    on.origin.answer(replies(200, web, message.subarray(0, 7)));
    expect(understand(caller.dialect, await answerTo(caller)).code).toBe("internal");
  });

  it.each(unary)("a unary reply whose connection breaks is unavailable to a caller in $dialect, and no defect", async (caller) => {
    for (const part of [message.subarray(0, 7), message]) {
      on.origin.answer(breaks(web, part));
      expect(understand(caller.dialect, await answerTo(caller)).code).toBe("unavailable");
    }
    expect(defects(on.proxy.log())).toEqual([]);
  });

  it.each(stream)("an envelope whose flags mean an end in the caller's dialect alone is no end to a caller in $dialect", async (caller) => {
    const [base, head, flags] = caller.dialect === "connect-stream" ? (["/web", web, 2] as const) : (["/connect", connectStream, 0x80] as const);
    const forged = writeEnvelope(flags, Buffer.from(flags === 2 ? "{}" : "grpc-status:0\r\n"));
    on.origin.answer(replies(200, head, forged));
    expect(understand(caller.dialect, await answerTo(caller, base)).code).toBe("internal");
  });

  it.each(stream)("no end is written into a message that was cut, though the head has one ($dialect)", async (caller) => {
    on.origin.answer(replies(200, { ...web, "grpc-status": "0" }, message.subarray(0, 7)));
    expect((await answerTo(caller)).cut).toBe(true);
  });

  it.each(unary)("a unary reply with two messages, or none and ok, is unimplemented to a caller in $dialect", async (caller) => {
    for (const body of [Buffer.concat([message, webReply("x")]), trailers("grpc-status:0\r\n")]) {
      on.origin.answer(replies(200, web, body));
      expect(understand(caller.dialect, await answerTo(caller)).code).toBe("unimplemented");
    }
  });

  it.each(stream)("a stream cut between messages ends as an error in $dialect", async (caller) => {
    on.origin.answer(breaks(web, message));
    const { code, messages } = understand(caller.dialect, await answerTo(caller));
    expect(code).toMatch(/^(internal|unavailable)$/);
    expect(messages.map(({ data }) => data.toString())).toEqual(["hello"]);
  });

  it.each(stream)("a stream cut inside a message is cut to a caller in $dialect, too", async (caller) => {
    for (const answer of [breaks(web, message.subarray(0, 7)), replies(200, web, message.subarray(0, 7))]) {
      on.origin.answer(answer);
      expect((await answerTo(caller)).cut).toBe(true);
    }
  });

  it.each(stream)("a Connect stream without an end, cut or malformed, ends as an error in $dialect", async (caller) => {
    for (const answer of [
      replies(200, connectStream, message),
      replies(200, connectStream),
      breaks(connectStream, message),
      replies(200, connectStream, Buffer.concat([message, writeEnvelope(2, Buffer.from("{"))])),
    ]) {
      on.origin.answer(answer);
      expect(understand(caller.dialect, await answerTo(caller, "/connect")).code).toMatch(/^(internal|unavailable)$/);
    }
  });

  it("an origin's JSON where protobuf was asked for is internal", async () => {
    on.origin.answer(replies(200, { "content-type": "application/grpc-web+json" }, webReply("{}")));
    expect(understand("grpc-web", await answerTo(unary[1]!)).code).toBe("internal");
  });

  it.each(["grpc-message:no%20such%20book\r\nx-odd:1\r\ngrpc-status:5\r\n", "x-odd:1\r\ngrpc-status:0\r\n"])("a unary end that every client reads passes byte for byte: %j", async (end) => {
    const body = Buffer.concat([...(end.includes("status:0") ? [message] : []), trailers(end)]);
    on.origin.answer(replies(200, web, body));
    expect((await answerTo(unary[1]!)).body.equals(body)).toBe(true);
  });
});
