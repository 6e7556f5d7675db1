import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { packagePath } from "../../cli/serve/root.ts";
import { call } from "./client.ts";
import { defects, type Proxy, runtimes, startProxy, testConfig } from "./harness.ts";
import { type RawOrigin, replies, startRawOrigin } from "./origin.ts";
import { request, understand, webReply } from "./wire.ts";

const modules = { workerd: "docs/examples/layers/worker.ts", deno: "docs/examples/layers/deno.ts" };

describe.each(runtimes)("a module of one's own on %s", (runtime) => {
  let origin: RawOrigin;
  let proxy: Proxy;
  beforeAll(async () => {
    origin = await startRawOrigin();
    proxy = await startProxy(runtime, testConfig(origin.url), {}, { worker: packagePath(modules[runtime]) });
  });
  afterAll(async () => {
    await proxy.stop();
    await origin.stop();
    expect(defects(proxy.log())).toEqual([]);
  });

  it("brings layers to the proxy's door, as docs/layers.md has it", async () => {
    origin.answer(replies(200, { "content-type": "application/grpc-web+proto" }, webReply("x")));
    const { headers, body } = request("connect-unary", "x");
    const without = await call(proxy.port, { path: "/web/test.v1.Test/Unary", headers, body });
    expect(understand("connect-unary", without)).toMatchObject({ code: "invalid_argument", message: "x-tenant is missing" });
    expect(origin.seen).toHaveLength(0);
    const reply = await call(proxy.port, { path: "/web/test.v1.Test/Unary", headers: { ...headers, "x-tenant": "acme" }, body });
    expect([understand("connect-unary", reply).code, reply.headers["x-served-for"]]).toEqual(["ok", "acme"]);
  });
});
