import { connect as connectHttp2 } from "node:http2";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { exchange } from "./attacks/exchange.ts";
import { defects, type Proxy, runtimes, startProxy, testConfig } from "./harness.ts";
import { type RawOrigin, replies, startRawOrigin } from "./origin.ts";

const auth = `
auth:
  providers: { keys: { api_keys: { keys: [{ name: ada, sha256: "${"0".repeat(64)}" }] } } }
  rules:
    - { match: { service: test.v1.Test }, allow: PUBLIC }
    - { match: { service: test.v1.Test, host: admin.example }, require: {} }
    - { match: { service: test.v1.Test, base_path: /same }, require: {} }
    - { match: { service: test.v1.Test, base_path: /same, host: open.example }, allow: PUBLIC }
`;

describe.each(runtimes)("on %s", (runtime) => {
  let origin: RawOrigin;
  let proxy: Proxy;
  beforeAll(async () => {
    origin = await startRawOrigin();
    proxy = await startProxy(runtime, testConfig(origin.url, { top: auth }));
  });
  afterAll(async () => {
    await proxy.stop();
    await origin.stop();
    expect(defects(proxy.log())).toEqual([]);
  });
  beforeEach(() => origin.answer(replies(200, { "content-type": "application/proto" }, "x")));

  /** The status of a call with this target and these lines in its head. */
  async function status(target: string, hosts: readonly string[], version = "1.1"): Promise<number> {
    const head = [`POST ${target} HTTP/${version}`, ...hosts.map((host) => `Host: ${host}`), "Content-Type: application/proto", "Content-Length: 1", "Connection: close", "", "x"];
    return (await exchange(proxy.port, Buffer.from(head.join("\r\n"), "latin1"))).status;
  }
  const unary = "/connect/test.v1.Test/Unary";

  it.each(["admin.example", "ADMIN.Example", "admin.example:80", "admin.example:8443", "admin.example.", "Admin.Example.:80"])("a rule that names a host holds for Host: %s", async (host) => {
    expect(await status(unary, [host])).toBe(401);
    expect(origin.seen).toHaveLength(0);
  });

  it("a rule that names a host holds for no other, and a rule that names none for all others", async () => {
    expect(await Promise.all(["x.admin.example", "admin.example.org", "xadmin.example", "127.0.0.1"].map((host) => status(unary, [host])))).toEqual([200, 200, 200, 200]);
  });

  it("a rule that names a base path holds for it alone, unless another names the host", async () => {
    expect(await Promise.all([status("/same/test.v1.Test/Unary", ["any.example"]), status("/same/test.v1.Test/Unary", ["OPEN.example."]), status("/connect/test.v1.Test/Unary", ["any.example"])])).toEqual([401, 200, 200]);
  });

  it.each(["admin.example..", ".admin.example", "admin..example", "admin.example, other.example", "admin.example%2e", "admin.example/", "other.example@admin.example", "admin.example:x", ""])("Host: %s is no name, and refused", async (host) => {
    expect([400, 404, 0]).toContain(await status(unary, [host]));
    expect(origin.seen).toHaveLength(0);
  });

  it("a call without a Host is refused", async () => {
    expect([await status(unary, []), await status(unary, [], "1.0"), await status(unary, [""])]).toEqual([400, 400, 400]);
    expect(origin.seen).toHaveLength(0);
  });

  it("a target in absolute form that names another host than Host is either not believed, or refused", async () => {
    const outcome = runtime === "deno" ? [400, 400] : [200, 401];
    expect([await status(`http://admin.example${unary}`, ["other.example"]), await status(`http://other.example${unary}`, ["admin.example"])]).toEqual(outcome);
    expect([await status(`http://admin.example${unary}`, ["admin.example"]), await status(`HTTP://ADMIN.example${unary}`, ["admin.example"])]).toEqual([401, 401]);
    if (runtime === "deno") expect([await status(`http://other.example${unary}`, []), await status(`http://admin.example?${unary}`, ["admin.example"])]).toEqual([200, 400]);
  });

  it.runIf(runtime === "deno").each([["admin.example", 401], ["ADMIN.example.:80", 401], ["other.example", 200]])("a call by HTTP/2 to %s ends with %i", async (authority, wanted) => {
    const session = connectHttp2(proxy.url);
    const stream = session.request({ ":method": "POST", ":path": unary, ":authority": authority, "content-type": "application/proto" });
    stream.end("x");
    const got = await new Promise<number>((resolve, reject) => stream.on("response", (headers) => resolve(headers[":status"]!)).on("error", reject));
    stream.close();
    session.close();
    expect(got).toBe(wanted);
  });
});
