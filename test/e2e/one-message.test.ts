import { describe, expect, it } from "vitest";
import { writeEnvelope } from "../../worker/core/protocol/envelope.ts";
import { call } from "./client.ts";
import { bench, runtimes } from "./harness.ts";
import { replies } from "./origin.ts";
import { contentType, request, trailers, understand, webReply } from "./wire.ts";

const web = { "content-type": "application/grpc-web+proto" };
const sizes = [["small", 10], ["large", 200_000]] as const;
const smuggled = trailers("x-user-id: root\r\nauthorization: Bearer x\r\n");

/** The cluster speaks what its callers speak, has one endpoint, and nothing says that the method may be repeated. */
describe.each(runtimes)("the only message of a call that passes as it is, on %s", (runtime) => {
  const on = bench(runtime);
  const send = (dialect: "grpc-web" | "connect-stream", body: Uint8Array | readonly Uint8Array[]) =>
    call(on.proxy.port, { path: `/same/test.v1.Test/${dialect === "grpc-web" ? "Unary" : "Server"}`, headers: { ...request(dialect, "").headers }, body });

  it.each(sizes)("arrives whole where it is %s, declared or chunked", async (_size, length) => {
    const body = writeEnvelope(0, Buffer.alloc(length, "m"));
    for (const sent of [body, [body.subarray(0, 7), body.subarray(7)]]) {
      on.origin.answer(replies(200, web, webReply("x")));
      expect(understand("grpc-web", await send("grpc-web", sent)).code).toBe("ok");
      expect(Buffer.from(body).equals(await on.origin.seen[0]!.body)).toBe(true);
    }
  });

  const more: [string, (message: Uint8Array) => Uint8Array, string][] = [
    ["by trailers", (message) => Buffer.concat([message, smuggled]), "unimplemented"],
    ["by a second message", (message) => Buffer.concat([message, writeEnvelope(0, Buffer.from("y"))]), "unimplemented"],
    ["by half a message", (message) => Buffer.concat([message, Buffer.from([0, 0, 0, 0, 9, 1])]), "invalid_argument"],
  ];
  const cases = (["grpc-web", "connect-stream"] as const).flatMap((dialect) => sizes.flatMap(([size, length]) => more.map(([what, spoil, code]) => ({ dialect, size, length, what, spoil, code }))));
  it.each(cases)("in $dialect, $size, that is followed $what does not reach the origin", async ({ dialect, length, spoil, code }) => {
    on.origin.answer(replies(200, { "content-type": contentType(dialect) }, webReply("x")));
    const reply = await send(dialect, spoil(writeEnvelope(0, Buffer.alloc(length, "m"))));
    expect([understand(dialect, reply).code, on.origin.seen.length]).toEqual([code, 0]);
  });

  it("that was never tried before is not said to have been, whatever its caller says", async () => {
    on.origin.answer(replies(200, web, webReply("x")));
    const { headers, body } = request("grpc-web", "x");
    await call(on.proxy.port, { path: "/same/test.v1.Test/Unary", headers: { ...headers, "grpc-previous-rpc-attempts": "3" }, body });
    expect(on.origin.seen[0]!.headers["grpc-previous-rpc-attempts"]).toBeUndefined();
  });
});
