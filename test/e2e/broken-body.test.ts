import { once } from "node:events";
import { connect } from "node:net";
import { describe, expect, it } from "vitest";
import { raw } from "./client.ts";
import { bench } from "./harness.ts";

/** One envelope of one byte in a chunk, then what is no chunk. */
const request = [
  "POST /web/test.v1.Test/Client HTTP/1.1", "host: p.example", "content-type: application/connect+proto", "transfer-encoding: chunked", "connection: close", "",
  "6", "\0\0\0\0\u0001x", "ZZZ", "",
].join("\r\n");

/** Deno closes the connection by itself. */
describe("a request stream whose chunks cannot be read on workerd", () => {
  const on = bench("workerd");

  it("is its caller's mistake, and does not speak against the origin", async () => {
    on.origin.answer(() => {});
    expect(await raw(on.proxy.port, request)).toContain('{"error":{"code":"invalid_argument","message":"the body broke off"}}');
    expect(on.proxy.log()).not.toContain("endpoint-ejected");
  });

  it("does not look whole to an origin that has answered already", async () => {
    on.origin.answer((response) => response.writeHead(200, { "content-type": "application/grpc-web+proto" }).write("\0\0\0\0\u0001y"));
    const client = connect({ port: on.proxy.port, host: "127.0.0.1" });
    const [whole, broken] = [request.slice(0, request.indexOf("ZZZ")), request.slice(request.indexOf("ZZZ"))];
    client.write(whole);
    await once(client, "data");
    client.write(broken);
    expect((await on.origin.seen[0]!.body).toString("latin1")).toBe("\0\0\0\0\u0001x\0\0");
    client.destroy();
  });
});
