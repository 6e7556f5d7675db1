import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { encodeOverrides } from "../../worker/core/health/codec.ts";
import { decodeTable, encodeTable } from "../../worker/core/health/codec.ts";
import type { EndpointHealth } from "../../worker/core/health/table.ts";
import { defects, type Proxy, runtimes, sleep, startProxy } from "./harness.ts";
import { type Answer, never, type RawOrigin, replies, startRawOrigin } from "./origin.ts";
import { callerDialects, request, understand, webReply } from "./wire.ts";
import { call } from "./client.ts";

const proto = { "content-type": "application/proto" };
const serving = (status: number): Buffer => Buffer.of(0x08, status);
const unimplemented = replies(501, { "content-type": "application/json" }, '{"code":"unimplemented"}');

const web = { "content-type": "application/grpc-web+proto" };
/** Answers checks with a status, and calls. */
function callable(status: number): Answer {
  const check = replies(200, web, webReply(serving(status)));
  const reply = replies(200, web, webReply("x"));
  return (response, seen) => (seen.url.includes("grpc.health") ? check : reply)(response, seen);
}

/** What the endpoint behind each prefix answers to a check. */
const healthy: Readonly<Record<string, Answer>> = {
  well: replies(200, proto, serving(1)),
  plain: unimplemented,
  bare: replies(404, { "content-type": "text/html" }, "<p>not found"),
  hole: never,
  huge: replies(200, proto, Buffer.alloc(100_000)),
  page: replies(200, { "content-type": "text/html" }, "<p>"),
  web: replies(200, web, webReply(serving(1))),
  json: replies(200, { "content-type": "application/json" }, '{"status":"SERVING"}'),
  http: replies(204, {}),
  a: callable(1),
  b: callable(1),
  sick: callable(2),
  drained: callable(1),
};

function config(url: string): string {
  const endpoints = (...names: string[]) => `localities: [{ region: here, endpoints: [${names.map((name) => `{ url: "${url}/${name}" }`).join(", ")}] }]`;
  const check = "interval: 1s, timeout: 0.4s, unhealthy_threshold: 2, healthy_threshold: 2";
  return `
methods: [{ path: /test.v1.Test/Unary, kind: UNARY }, { path: /test.v1.Test/Server, kind: SERVER_STREAM }]
clusters:
  connect: { dialect: CONNECT, health_check: { service: test.v1.Test, ${check} }, ${endpoints("well", "plain", "bare", "hole", "huge", "page")} }
  web: { dialect: GRPC_WEB, health_check: { service: "", ${check} }, ${endpoints("web")} }
  json: { dialect: CONNECT, codecs: [JSON], health_check: { service: "", ${check} }, ${endpoints("json")} }
  http: { dialect: SAME, health_check: { http_path: /healthz, ${check} }, ${endpoints("http")} }
  calls: { dialect: GRPC_WEB, health_check: { service: "", ${check} }, ${endpoints("a", "b", "sick", "drained")} }
routes: [{ match: { service: test.v1.Test }, cluster: calls }]
`;
}

describe.each(runtimes)("health on %s", (runtime) => {
  let origin: RawOrigin;
  let proxy: Proxy;
  let answers: Record<string, Answer> = {};
  beforeAll(async () => {
    origin = await startRawOrigin();
    answers = { ...healthy };
    origin.answer((response, seen) => answers[seen.url.split("/")[1] ?? ""]?.(response, seen));
    proxy = await startProxy(runtime, config(origin.url));
  });
  afterAll(async () => {
    await proxy.stop();
    await origin.stop();
    expect(defects(proxy.log())).toEqual([]);
  });

  async function health(name: string): Promise<EndpointHealth | undefined> {
    const read = decodeTable(await proxy.store.get("health"));
    const cluster = ["web", "json", "http"].includes(name) ? name : ["a", "b", "sick", "drained"].includes(name) ? "calls" : "connect";
    return "value" in read ? read.value.endpoints.get(`${cluster}/here/${origin.url}/${name}`) : undefined;
  }

  /** Waits until an endpoint is in a state; gives what it took in milliseconds. */
  async function until(name: string, state: EndpointHealth["state"]): Promise<number> {
    const began = Date.now();
    while ((await health(name))?.state !== state) {
      if (Date.now() - began > 10_000) throw new Error(`${name} did not become ${state}: ${JSON.stringify(await health(name))}`);
      await sleep(50);
    }
    return Date.now() - began;
  }

  it.each([
    ["well", { state: "healthy", detail: "" }],
    ["plain", { state: "healthy", detail: "has no health service" }],
    ["bare", { state: "healthy", detail: "has no health service" }],
    ["hole", { state: "unhealthy", detail: "no answer within 400 ms" }],
    ["huge", { state: "unhealthy", detail: "the answer is larger than 65536 bytes" }],
    ["page", { state: "unhealthy", detail: "unknown: the answer's content type is text/html" }],
    ["web", { state: "healthy", detail: "" }],
    ["json", { state: "healthy", detail: "" }],
    ["http", { state: "healthy", detail: "" }],
  ] as const)("an endpoint is known by its first probe: %s", async (name, expected) => {
    await until(name, expected.state);
    expect(await health(name)).toMatchObject(expected);
  });

  it("calls go to the endpoints that are healthy, not drained, and have a weight", async () => {
    await until("sick", "unhealthy");
    await until("drained", "healthy");
    await proxy.store.put("overrides", encodeOverrides({ writtenAt: Date.now(), drains: [{ target: `calls/here/${origin.url}/drained`, reason: "new disks", since: Date.now() }], weights: [{ target: `calls/here/${origin.url}/b`, weight: 0, since: Date.now() }] }));
    const calls = () => origin.seen.filter(({ url }) => url.endsWith("/test.v1.Test/Unary"));
    // An isolate's first call waits 25 ms for what the store has, and then goes on without; those a second later find it read.
    await call(proxy.port, { path: "/test.v1.Test/Unary", ...request("grpc-web", "x") });
    await sleep(1000);
    const first = calls().length;
    for (let i = 0; i < 40; i++) await call(proxy.port, { path: "/test.v1.Test/Unary", ...request("grpc-web", "x") });
    const went = calls().slice(first).map(({ url }) => url.split("/")[1]);
    expect(went).toHaveLength(40);
    expect(new Set(went)).toEqual(new Set(["a"]));
  });

  it("a check asks in the cluster's dialect, for the service that it names", async () => {
    const asked = async (prefix: string) => {
      const seen = origin.seen.find(({ url }) => url.startsWith(`/${prefix}/`))!;
      return [seen.method, seen.url.slice(prefix.length + 1), seen.headers["content-type"], (await seen.body).toString("latin1")];
    };
    expect(await asked("well")).toEqual(["POST", "/grpc.health.v1.Health/Check", "application/proto", "\n\x0ctest.v1.Test"]);
    expect(await asked("web")).toEqual(["POST", "/grpc.health.v1.Health/Check", "application/grpc-web+proto", "\0\0\0\0\0"]);
    expect(await asked("json")).toEqual(["POST", "/grpc.health.v1.Health/Check", "application/json", "{}"]);
    expect(await asked("http")).toEqual(["GET", "/healthz", undefined, ""]);
  });

  it("an endpoint that says NOT_SERVING leaves within its threshold, and comes back; the others stay", async () => {
    answers["well"] = replies(200, proto, serving(2));
    // Two probes, one interval apart, the first up to an interval away; and what a sweep and looking take.
    expect(await until("well", "unhealthy")).toBeLessThan(2000 + 1500);
    expect(await health("well")).toMatchObject({ detail: "NOT_SERVING", failures: 2 });
    answers["well"] = healthy["well"]!;
    expect(await until("well", "healthy")).toBeLessThan(2000 + 1500);
    expect((await health("plain"))?.state).toBe("healthy");
  });

  it("an endpoint that becomes a black hole, and one that breaks every connection, leave and come back", async () => {
    answers["well"] = never;
    answers["plain"] = (response) => response.socket?.destroy();
    await Promise.all([until("well", "unhealthy"), until("plain", "unhealthy")]);
    answers["well"] = healthy["well"]!;
    answers["plain"] = unimplemented;
    await Promise.all([until("well", "healthy"), until("plain", "healthy")]);
  });

  const before = Date.now();
  it.each([
    ["empty", Buffer.alloc(0)],
    ["corrupt", Buffer.from("no table, this")],
    ["cut short", encodeTable({ writtenAt: before, revision: 1, endpoints: new Map() }).subarray(0, 2)],
    ["of another schema", Buffer.of(8, 7)],
    ["from last year", encodeTable({ writtenAt: before - 3e10, revision: 1, endpoints: new Map() })],
    ["from next year", encodeTable({ writtenAt: before + 3e10, revision: 1, endpoints: new Map() })],
    ["huge", Buffer.alloc(600_000, 0x0a)],
  ])("a document that is %s fails no call, and the next sweep writes over a table like that", async (_what, bytes) => {
    await proxy.store.put("overrides", bytes);
    await proxy.store.put("health", bytes);
    for (let i = 0; i < 6; i++) {
      for (const dialect of callerDialects) {
        const method = dialect === "connect-stream" ? "Server" : "Unary";
        expect(understand(dialect, await call(proxy.port, { path: `/test.v1.Test/${method}`, ...request(dialect, "x") })).code).toBe("ok");
      }
    }
    await until("well", "healthy");
    await proxy.store.put("overrides", encodeOverrides({ writtenAt: Date.now(), drains: [], weights: [] }));
  });
});
