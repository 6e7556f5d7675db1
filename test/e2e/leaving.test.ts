import { describe, expect, it } from "vitest";
import { writeEnvelope } from "../../worker/core/protocol/envelope.ts";
import { type Open, open } from "./client.ts";
import { bench, sleep, within } from "./harness.ts";
import { never } from "./origin.ts";
import { type CallerDialect, request } from "./wire.ts";

/** workerd notices a caller that leaves by a reset (RST) alone: a closed socket (FIN) may still be read from. */
const ways = [
  { runtime: "workerd" as const, way: "resets its socket", leave: ({ request }: Open) => void request.socket?.resetAndDestroy() },
  { runtime: "deno" as const, way: "resets its socket", leave: ({ request }: Open) => void request.socket?.resetAndDestroy() },
  { runtime: "deno" as const, way: "closes its socket", leave: ({ request }: Open) => void request.socket?.destroy() },
];

const calls = (["connect-unary", "connect-stream", "grpc-web", "grpc-web-text"] as const).map((dialect) => ({
  dialect: dialect as CallerDialect,
  method: dialect === "connect-stream" ? "Server" : "Unary",
}));

describe.each(ways)("a caller that leaves on $runtime and $way", ({ runtime, leave }) => {
  const on = bench(runtime);

  it.each(calls)("before the answer: the origin sees an abort within a second ($dialect)", async ({ dialect, method }) => {
    const arrived = Promise.withResolvers<void>();
    on.origin.answer((...call) => {
      never(...call);
      arrived.resolve();
    });
    const opened = open(on.proxy.port, { path: `/web/test.v1.Test/${method}`, ...request(dialect, "x") });
    await within(2000, arrived.promise);
    await sleep(50);
    leave(opened);
    expect(await within(1000, on.origin.seen[0]!.cut, "the abort")).toBe(true);
  });

  it.each(["connect-stream", "grpc-web", "grpc-web-text"] as const)("in the middle of a stream: the origin sees an abort within a second (%s)", async (dialect) => {
    on.origin.answer((response) => {
      response.writeHead(200, { "content-type": "application/grpc-web+proto" });
      response.write(writeEnvelope(0, Buffer.from("one")));
    });
    const opened = open(on.proxy.port, { path: "/web/test.v1.Test/Server", ...request(dialect, "x") });
    const head = await within(2000, opened.head);
    head.on("error", () => {});
    await new Promise((resolve) => head.once("data", resolve));
    leave(opened);
    expect(await within(1000, on.origin.seen[0]!.cut, "the abort")).toBe(true);
  });
});
