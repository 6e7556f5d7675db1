import { execFileSync } from "node:child_process";
import { hash } from "node:crypto";
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { packagePath } from "../../cli/serve/root.ts";
import { call } from "./client.ts";
import { defects, type Proxy, runtimes, startProxy } from "./harness.ts";
import { type RawOrigin, replies, startRawOrigin } from "./origin.ts";
import { webReply } from "./wire.ts";

const proto = `syntax = "proto3";
package t;
import "fairlead/policy/v1/policy.proto";
message Empty {}
service S {
  rpc Open(Empty) returns (Empty) { option idempotency_level = NO_SIDE_EFFECTS; option (fairlead.policy.v1.policy) = { public: true cache: { max_age: { seconds: 60 } stale_while_revalidate: { seconds: 30 } } }; }
  rpc Own(Empty) returns (Empty) { option idempotency_level = NO_SIDE_EFFECTS; option (fairlead.policy.v1.policy) = { scopes: "a" cache: { max_age: { seconds: 60 } } }; }
  rpc Plain(Empty) returns (Empty) { option idempotency_level = NO_SIDE_EFFECTS; option (fairlead.policy.v1.policy) = { public: true }; }
}`;
const key = "a-key-that-is-long-and-random";
const config = (descriptors: string, url: string) => {
  const cluster = (dialect: string) => `{ dialect: ${dialect}, localities: [{ region: here, endpoints: [{ url: "${url}" }] }] }`;
  const route = (match: string, rest: string) => `  - { match: { service: t.S, ${match} }, ${rest} }`;
  return `
descriptors: [${descriptors}]
clusters: { connect: ${cluster("CONNECT")}, web: ${cluster("GRPC_WEB")}, other: ${cluster("CONNECT")} }
routes:
${[
  route('base_path: ""', "cluster: connect"),
  route("base_path: /web", "cluster: web"),
  route("base_path: /route", "cluster: connect, cache: { max_age: 10s, vary: [x-tenant] }"),
  route("base_path: /never", "cluster: connect, cache: { max_age: 0s }"),
  route("base_path: /sets", "cluster: connect, response_headers: { set: { cache-control: no-cache } }"),
  route("base_path: /eu", "cluster: connect, residency: [{ continents: [EU], regions: [here] }]"),
  route("base_path: /split", "split: [{ cluster: connect }, { cluster: other }], sticky: { header: x-cohort }"),
  route("base_path: /split, metadata: [{ name: x-canary, present: true }]", "cluster: other"),
].join("\n")}
auth:
  providers: { keys: { api_keys: { keys: [{ name: ada, sha256: "${hash("sha256", key)}", scopes: [a] }] } } }
  rules: []
`;
};

describe.each(runtimes)("on %s", (runtime) => {
  let origin: RawOrigin;
  let proxy: Proxy;
  beforeAll(async () => {
    const directory = mkdtempSync(join(tmpdir(), "fairlead-e2e-"));
    mkdirSync(join(directory, "fairlead/policy/v1"), { recursive: true });
    cpSync(packagePath("proto/fairlead/policy/v1/policy.proto"), join(directory, "fairlead/policy/v1/policy.proto"));
    writeFileSync(join(directory, "s.proto"), proto);
    writeFileSync(join(directory, "buf.yaml"), "version: v2\nmodules: [{ path: . }]");
    execFileSync(packagePath("node_modules/.bin/buf"), ["build", "-o", "s.binpb"], { cwd: directory });
    origin = await startRawOrigin();
    proxy = await startProxy(runtime, config(join(directory, "s.binpb"), origin.url));
    rmSync(directory, { recursive: true });
  });
  afterAll(async () => {
    await proxy.stop();
    await origin.stop();
    expect(defects(proxy.log())).toEqual([]);
  });

  const good = (headers: Record<string, string> = {}) => origin.answer(replies(200, { "content-type": "application/proto", ...headers }, "x"));
  async function get(path: string, headers: Record<string, string> = {}) {
    const { status, headers: got } = await call(proxy.port, { method: "GET", path: `${path}?connect=v1&encoding=proto&message=`, headers });
    return [status, got["cache-control"], got["vary"]?.toLowerCase()];
  }
  const always = "accept-encoding, authorization, cookie, x-canary";
  const schemaSays = "public, max-age=60, stale-while-revalidate=30";

  it("a good reply to a GET of a public method may be kept as long as the schema says, by anybody", async () => {
    good();
    expect(await get("/t.S/Open")).toEqual([200, schemaSays, `${always}, origin`]);
    origin.answer(replies(200, { "content-type": "application/grpc-web+proto" }, webReply("x")));
    expect(await get("/web/t.S/Open")).toEqual([200, schemaSays, `${always}, origin`]);
  });

  it("one to a caller who had to show who it is may be kept by that caller alone", async () => {
    good();
    expect(await get("/t.S/Own", { "x-api-key": key })).toEqual([200, "private, max-age=60", `${always}, x-api-key, origin`]);
  });

  it.each([[{ authorization: "Bearer x" }, ""], [{ cookie: "a=b" }, ""], [{ "x-api-key": "x" }, ", x-api-key"]])("so may one of a public method to a caller who shows %o", async (headers: Record<string, string>, further) => {
    good();
    expect(await get("/t.S/Open", headers)).toEqual([200, "private, max-age=60, stale-while-revalidate=30", `${always}${further}, origin`]);
  });

  it("one that sets a cookie, or that residency had a say in, is for its caller alone", async () => {
    good({ "set-cookie": "a=b" });
    expect((await get("/t.S/Open"))[1]).toBe("private, max-age=60, stale-while-revalidate=30");
    good();
    expect((await get("/eu/t.S/Open"))[1]).toBe("private, max-age=60, stale-while-revalidate=30");
  });

  it("the route goes before the schema, also where it tells nothing", async () => {
    good();
    const byTenant = "accept-encoding, authorization, cookie, x-tenant, x-canary, origin";
    expect([await get("/route/t.S/Open"), await get("/route/t.S/Plain"), await get("/never/t.S/Open"), await get("/t.S/Plain")]).toEqual([
      [200, "public, max-age=10", byTenant], [200, "public, max-age=10", byTenant], [200, undefined, "origin"], [200, undefined, "origin"],
    ]);
  });

  it.each([[{ "cache-control": "no-store" }, "no-store"], [{ "cache-control": "max-age=5" }, "max-age=5"], [{ expires: "Thu, 01 Jan 2026 00:00:00 GMT" }, undefined], [{ "cdn-cache-control": "max-age=5" }, undefined]])("the origin's own word %o holds", async (headers: Record<string, string>, told) => {
    good(headers);
    expect((await get("/t.S/Open"))[1]).toBe(told);
  });

  it("so does that of the route's headers", async () => {
    good();
    expect((await get("/sets/t.S/Open"))[1]).toBe("no-cache");
  });

  it("caches are told by which headers of the request a cluster was chosen, and nothing twice", async () => {
    good({ vary: "Accept-Encoding" });
    expect((await get("/split/t.S/Open"))[2]).toBe("accept-encoding, authorization, cookie, x-canary, x-cohort, origin");
  });

  it("no error is to be kept, the origin's or the proxy's own", async () => {
    origin.answer(replies(404, { "content-type": "application/json" }, '{"code":"not_found"}'));
    expect((await get("/t.S/Open")).slice(0, 2)).toEqual([404, undefined]);
    origin.answer(replies(200, { "content-type": "application/grpc-web+proto", "grpc-status": "5" }));
    expect((await get("/web/t.S/Open")).slice(0, 2)).toEqual([404, undefined]);
    origin.answer(replies(503, {}, ""));
    expect((await get("/t.S/Open")).slice(0, 2)).toEqual([503, undefined]);
    expect((await get("/t.S/Own")).slice(0, 2)).toEqual([401, "no-store"]);
    expect((await get("/t.S/Own", { "x-api-key": "wrong" })).slice(0, 2)).toEqual([401, "no-store"]);
  });

  it("nothing but a GET is to be kept", async () => {
    good();
    const { status, headers } = await call(proxy.port, { path: "/t.S/Open", headers: { "content-type": "application/proto" }, body: "" });
    expect([status, headers["cache-control"]]).toEqual([200, undefined]);
  });
});
