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
});
