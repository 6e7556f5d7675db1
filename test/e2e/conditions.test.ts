import { describe, expect, it, onTestFinished } from "vitest";
import { hash } from "node:crypto";
import { bundle } from "../../cli/serve/bundle.ts";
import { packagePath } from "../../cli/serve/root.ts";
import { call } from "./client.ts";
import { runtimes, startProxy } from "./harness.ts";
import { replies, startRawOrigin } from "./origin.ts";
import { request, understand } from "./wire.ts";

const key = "a-key-of-ada";
const config = (url: string, condition: string) => `
methods: [{ path: /test.v1.Test/Unary, kind: UNARY }]
clusters: { c: { dialect: CONNECT, localities: [{ region: here, endpoints: [{ url: "${url}" }] }] } }
routes: [{ match: { service: test.v1.Test }, cluster: c }]
auth:
  providers: { keys: { api_keys: { keys: [{ name: ada, sha256: "${hash("sha256", key)}" }] } } }
  rules: [{ match: { service: test.v1.Test }, require: { provider: keys${condition} } }]
`;

describe.each(runtimes)("a config with a condition on %s", (runtime) => {
  it("takes the place of one without, and of one that has none again", async () => {
    const origin = await startRawOrigin();
    onTestFinished(() => origin.stop());
    origin.answer(replies(200, { "content-type": "application/proto" }, "x"));
    const proxy = await startProxy(runtime, config(origin.url, ""));
    onTestFinished(() => proxy.stop());
    const { headers, body } = request("connect-unary", "x");
    const ends = async (tenant: string) => understand("connect-unary", await call(proxy.port, { path: "/test.v1.Test/Unary", headers: { ...headers, "x-api-key": key, "x-tenant": tenant }, body })).code;
    expect([await ends("a"), await ends("b")]).toEqual(["ok", "ok"]);
    await proxy.reload(config(origin.url, `, condition: "metadata['x-tenant'] == 'a'"`));
    expect([await ends("a"), await ends("b")]).toEqual(["ok", "permission_denied"]);
    await proxy.reload(config(origin.url, ""));
    expect([await ends("a"), await ends("b")]).toEqual(["ok", "ok"]);
  });
});

describe("a Worker that is built without conditions", () => {
  it("has no CEL in it, and is smaller for it by more than 60 kB", async () => {
    const sizes = await Promise.all([true, false].map(async (conditions) => (await bundle(packagePath("worker/runtime/cloudflare/worker.ts"), conditions)).length));
    expect(sizes[0]! - sizes[1]!).toBeGreaterThan(60_000);
  });
});
