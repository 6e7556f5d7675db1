import { describe, expect, it } from "vitest";
import { seeded } from "../core/balance/arbitrary.ts";
import { compileText } from "../e2e/harness.ts";
import { testTally, type Way } from "./tally.ts";
import { createProxy, decodeArtifact, type LogEntry, type Ports, type UpstreamReply } from "../../worker/index.ts";

/** What an endpoint does with a request: after so many milliseconds it answers with a code, or a bare HTTP status, or its connection breaks ("broken"); or never. */
type Behaviour = { readonly after: number; readonly code: string | number; readonly headers?: Record<string, string> } | "never";

const endpoint = (name: string) => `{ url: "http://${name}.example" }`;
const yaml = (more = "", retry = "hedging_delay: 20ms") => `
methods:
  - { path: /t.S/Safe, kind: UNARY, idempotency: NO_SIDE_EFFECTS }
  - { path: /t.S/Once, kind: UNARY }
clusters:
  c: { dialect: CONNECT, ${more}localities: [{ region: near, endpoints: [${["a1", "a2", "a3"].map(endpoint).join(", ")}] }, { region: far, priority: 1, endpoints: [${endpoint("b")}] }] }
routes: [{ match: { service: t.S }, cluster: c, timeout: 2s, retry: { ${retry} } }]
`;

/** A proxy whose endpoints behave as told. */
async function world(behave: (name: string, made: number) => Behaviour, { more = "", random = () => 0, retry, tally = null }: { readonly more?: string; readonly random?: () => number; readonly retry?: string; readonly tally?: Ports["tally"] } = {}) {
  const { config } = await decodeArtifact(await compileText(yaml(more, retry)));
  const sent: string[] = [];
  const log: LogEntry[] = [];
  const ports: Ports = {
    async transport({ endpoint: { url }, signal }) {
      const name = url.slice(7, url.indexOf("."));
      const behaviour = behave(name, sent.push(name) - 1);
      const aborted = new Promise<void>((resolve) => (signal?.aborted ? resolve() : signal?.addEventListener("abort", () => resolve())));
      if (behaviour === "never") {
        await aborted;
        return { failure: { kind: "transport", reached: "maybe", cause: "aborted" } };
      }
      await new Promise((resolve) => setTimeout(resolve, behaviour.after));
      return behaviour.code === "broken" ? { failure: { kind: "transport", reached: "maybe", cause: "broken" } } : reply(behaviour.code, behaviour.headers);
    },
    now: () => Date.now(),
    after(ms, then) {
      const timer = setTimeout(then, ms);
      return () => clearTimeout(timer);
    },
    endsWithReply: false,
    random,
    secret: () => undefined,
    fetch: () => Promise.resolve({ failure: "nothing can be fetched" }),
    limiter: () => undefined,
    tally,
    store: null,
    board: null,
    log: (entry) => log.push(entry),
  };
  const proxy = createProxy({ config, ports });
  const call = async (method: string, body: BodyInit = "x", headers: Record<string, string> = {}, left: AbortSignal | null = null) => {
    const request = new Request(`http://p.example/t.S/${method}`, { method: "POST", headers: { "content-type": "application/proto", ...headers }, body, duplex: "half" } as RequestInit);
    const started = Date.now();
    const response = await proxy.fetch(request, { keep: () => {}, clientAddress: () => null, place: () => null, clientCertificate: () => null, left: () => left });
    const text = await response.text();
    return { status: response.status, code: response.status === 200 ? "ok" : (JSON.parse(text) as { code: string }).code, ms: Date.now() - started };
  };
  return { call, sent, log };
}

function reply(code: string | number, more: Record<string, string> = {}): UpstreamReply {
  const [status, type, text] = typeof code === "number" ? [code, "text/plain", "{}"] as const : code === "ok" ? [200, "application/proto", "x"] as const : [404, "application/json", JSON.stringify({ code })] as const;
  const response = new Response(text, { status, headers: { "content-type": type, "content-length": String(text.length), ...more } });
  return { status: response.status, headers: response.headers, source: response as UpstreamReply["source"], trailers: null, broken: { kind: "transport", reached: "maybe", cause: "broken" } };
}

describe("the attempts of a call", () => {
  it("end with an answer that no other could better, though another is silent", async () => {
    const { call, sent } = await world((_name, made) => (made === 0 ? { after: 300, code: "not_found" } : "never"));
    const { code, ms } = await call("Safe");
    expect([code, sent.length, ms < 1500]).toEqual(["not_found", 3, true]);
  });

  it("end with the first good answer, whichever began first", async () => {
    const { call } = await world((_name, made) => (made === 0 ? "never" : { after: 5, code: "ok" }));
    expect(await call("Safe")).toMatchObject({ code: "ok" });
  });

  it("begin beside a silent one after 300 ms where nobody knows the method, and after 50 where it is known to be quick", async () => {
    for (const [calls, least, most] of [[0, 290, 600], [25, 45, 200]] as const) {
      const { call } = await world((_name, made) => (made === calls ? "never" : { after: 1, code: "ok" }), { random: seeded(1), retry: "max_attempts: 3" });
      for (let i = 0; i < calls; i++) await call("Safe");
      const { ms } = await call("Safe");
      expect(ms).toBeGreaterThan(least);
      expect(ms).toBeLessThan(most);
    }
  });

  it("go to a well neighbour before a sick locality", async () => {
    const { call, sent } = await world((name) => (name === "b" || name === "a1" ? { after: 0, code: "unavailable" } : { after: 0, code: "ok" }));
    for (let i = 0; i < 30; i++) expect((await call("Safe")).code).toBe("ok");
    expect(sent.slice(-6)).not.toContain("b");
  });

  it("do not begin once the call is over", async () => {
    const { call, sent } = await world(() => ({ after: 0, code: "ok" }));
    const late = new ReadableStream<Uint8Array>({ pull: (controller) => new Promise((resolve) => setTimeout(() => (controller.enqueue(new Uint8Array(1)), controller.close(), resolve()), 300)) });
    expect((await call("Once", late, { "connect-timeout-ms": "100" })).code).toBe("deadline_exceeded");
    await new Promise((resolve) => setTimeout(resolve, 400));
    expect(sent).toEqual([]);
  });

  it("blame nobody where callers leave, or give less time than such calls take", async () => {
    const { call, log } = await world(() => ({ after: 300, code: "ok" }));
    expect((await call("Once")).code).toBe("ok");
    for (let i = 0; i < 8; i++) await call("Once", "x", { "connect-timeout-ms": "50" });
    for (let i = 0; i < 8; i++) await call("Once", "x", {}, AbortSignal.timeout(30));
    expect(log.filter(({ event }) => event === "endpoint-ejected")).toEqual([]);
  });

  it("blame nobody where a caller gives less time than such calls take though nobody knows it yet, or where it sends too slowly or breaks off", async () => {
    const slow = (bytes: number, then: (controller: ReadableStreamDefaultController<Uint8Array>) => void) => {
      let sent = 0;
      return new ReadableStream<Uint8Array>({ pull: (controller) => new Promise((resolve) => setTimeout(() => (sent++ < 3 ? controller.enqueue(new Uint8Array(bytes)) : then(controller), resolve()), 50)) });
    };
    const { call, log } = await world(() => "never", { more: "outlier: { locality_failures: 3 }, " });
    await Promise.all(Array.from({ length: 6 }, () => call("Safe", "x", { "connect-timeout-ms": "900" })));
    const pieces = { "content-length": "200000", "connect-timeout-ms": "900" };
    await Promise.all(Array.from({ length: 6 }, () => call("Once", slow(1000, () => {}), pieces)));
    expect(log.filter(({ event }) => event === "endpoint-ejected")).toEqual([]);
  });

  it("blame an endpoint neither for an upload that broke, nor for HTTP 429, nor a region for four answers of HTTP 503 to calls that are not repeated", async () => {
    for (const [status, body] of [["broken", new Uint8Array(100_000)], [429, "x"], [503, "x"]] as const) {
      const { call, log } = await world(() => ({ after: 0, code: status }), { random: seeded(1) });
      for (let i = 0; i < 4; i++) await call("Once", new Blob([body]).stream(), { "content-length": String(body.length) });
      expect(log.filter(({ event }) => event === "endpoint-ejected")).toEqual([]);
    }
  });

  it.each(["text/plain", "application/json"])("are not repeated after HTTP 429 (%s), which blames nobody, unless it says when, and then not sooner", async (type) => {
    const limited = (headers: Record<string, string> = {}): Behaviour => ({ after: 0, code: 429, headers: { "content-type": type, ...headers } });
    const refusing = await world(() => limited(), { more: "outlier: { failure_percent: 10 }, " });
    for (let i = 0; i < 12; i++) expect((await refusing.call("Safe")).code).toBe("unavailable");
    expect([refusing.sent.length, refusing.log.filter(({ event }) => event === "endpoint-ejected")]).toEqual([12, []]);
    const telling = await world((_name, made) => (made === 0 ? limited({ "retry-after": "1" }) : { after: 0, code: "ok" }));
    const { code, ms } = await telling.call("Safe");
    expect([code, telling.sent.length, ms >= 990]).toEqual(["ok", 2, true]);
    const tooLate = await world(() => limited({ "retry-after": "3" }));
    expect([(await tooLate.call("Safe")).code, tooLate.sent.length]).toEqual(["unavailable", 1]);
  });

  it("wait for the one that is under way after HTTP 429, and begin no other beside it", async () => {
    const { call, sent } = await world((_name, made) => (made === 0 ? { after: 200, code: "ok" } : { after: 0, code: 429 }));
    expect([(await call("Safe")).code, sent.length]).toEqual(["ok", 2]);
  });

  it.each([["-1", 1], ["700", 2]])("begin no sooner than an origin wants, %s, whatever another says after it", async (pushback, more) => {
    const { call, sent } = await world((_name, made) => (made === 0 ? { after: 500, code: "unavailable", headers: { "grpc-retry-pushback-ms": pushback } } : { after: 300, code: "unavailable" }), { retry: "hedging_delay: 300ms" });
    const { code, ms } = await call("Safe");
    expect([code, sent.length, ms > 1150]).toEqual(["unavailable", 1 + more, more === 2]);
  });

  it("leave a region whose every answer is HTTP 500", async () => {
    const { call, sent } = await world((name) => ({ after: 0, code: name === "b" ? "ok" : 500 }), { random: seeded(1) });
    for (let i = 0; i < 200; i++) await call("Once");
    expect(sent.slice(-10)).toEqual(Array.from({ length: 10 }, () => "b"));
  });
});

describe("a circuit breaker", () => {
  it("refuses calls beyond max_requests at once, sends them nowhere, says so in the log, and lets others in as calls end", async () => {
    const { call, sent, log } = await world(() => ({ after: 100, code: "ok" }), { more: "circuit_breaker: { max_requests: 2 }, " });
    const replies = await Promise.all(Array.from({ length: 5 }, () => call("Once")));
    expect(replies.map(({ code }) => code).sort()).toEqual(["ok", "ok", "unavailable", "unavailable", "unavailable"]);
    expect(replies.filter(({ code, ms }) => code === "unavailable" && ms >= 90)).toEqual([]);
    expect(sent.length).toBe(2);
    expect(log).toEqual([{ level: "warn", event: "circuit-open", cluster: "c", limit: "maxRequests", most: 2, refused: 1 }]);
    expect((await call("Once")).code).toBe("ok");
  });

  it("makes no further attempt beyond max_retries: the answer of the first is the answer", async () => {
    const { call, sent } = await world(() => ({ after: 0, code: "unavailable" }), { more: "circuit_breaker: { max_retries: 0 }, outlier: { failure_percent: 100 }, " });
    expect((await call("Safe")).code).toBe("unavailable");
    expect(sent.length).toBe(1);
  });

  it("gives that answer at once, whatever wait it asks for", async () => {
    const { call, sent } = await world(() => ({ after: 1, code: 429, headers: { "retry-after": "1" } }), { more: "circuit_breaker: { max_retries: 0 }, " });
    const { code, ms } = await call("Safe");
    expect([code, sent.length, ms < 1000]).toEqual(["unavailable", 1, true]);
  });

  it("counts a call that fails, or runs out of time, as over", async () => {
    const { call } = await world((_name, made) => (made < 3 ? "never" : { after: 0, code: made < 6 ? "unavailable" : "ok" }), { more: "circuit_breaker: { max_requests: 1, max_connections: 1, max_pending_requests: 1 }, " });
    const codes: string[] = [];
    for (let i = 0; i < 8; i++) codes.push((await call("Once", "x", { "connect-timeout-ms": "30" })).code);
    expect(codes).toEqual([...Array.from({ length: 3 }, () => "deadline_exceeded"), ...Array.from({ length: 3 }, () => "unavailable"), "ok", "ok"]);
  });

  const limits = { maxConnections: 4, maxPendingRequests: 4, maxRequests: 2, maxRetries: 1 };
  const shared = "circuit_breaker: { max_connections: 4, max_pending_requests: 4, max_requests: 2, max_retries: 1, shared: true }, ";
  const afterAWhile = (ms: number): Way => (answer) => new Promise((resolve) => setTimeout(() => resolve(answer()), ms));

  it("that isolates share admits calls and further attempts of both together, and holds nothing when they are over", async () => {
    const tally = testTally(limits, () => Date.now(), afterAWhile(10));
    const [one, other] = [await world((_name, made) => (made === 0 ? "never" : { after: 30, code: "ok" }), { more: shared, tally }), await world(() => ({ after: 100, code: "unavailable" }), { more: shared, tally })];
    const replies = await Promise.all([one.call("Safe"), other.call("Once"), other.call("Once"), one.call("Once")]);
    expect(replies.map(({ code }) => code).sort()).toEqual(["ok", "unavailable", "unavailable", "unavailable"]);
    expect([one.sent.length, other.sent.length]).toEqual([2, 1]);
    await new Promise((resolve) => setTimeout(resolve, 30));
    expect(tally.lender.out(Date.now())).toEqual([]);
  });

  it("that isolates share is given back what a call took that was over before it came", async () => {
    const tally = testTally(limits, () => Date.now(), afterAWhile(60));
    const { call, sent } = await world(() => ({ after: 0, code: "ok" }), { more: shared, tally });
    expect((await call("Once", "x", { "connect-timeout-ms": "30" })).code).toBe("deadline_exceeded");
    await new Promise((resolve) => setTimeout(resolve, 150));
    expect([sent, tally.asked]).toEqual([[], ["begin", "end"]]);
  });

  it("that isolates share does not keep an answer waiting that comes while another attempt is asked for", async () => {
    let asked = 0;
    const tally = testTally(limits, () => Date.now(), (answer) => afterAWhile(asked++ === 0 ? 0 : 300)(answer));
    const { call, sent } = await world(() => ({ after: 60, code: "ok" }), { more: shared, tally });
    const { code, ms } = await call("Safe");
    expect([code, ms < 250, sent.length, tally.asked]).toEqual(["ok", true, 1, ["begin", "further, ended ", "end"]]);
  });
});

it.each([
  ["an error", { after: 0, code: "unavailable" }, 3, ["a", "a"]],
  ["a broken connection", { after: 0, code: "broken" }, 3, ["a", "b"]],
  ["silence, where it is early and not the last", "never", 3, ["a", "a"]],
  ["silence, where it is the last", "never", 2, ["a", "b"]],
  ["silence for as long as an attempt is given", "never", 3, ["a", "b"], "hedging_delay: 100ms, per_try_timeout: 100ms"],
] as const)("a second attempt after %s goes to a neighbour or to another place", async (_what, first, most, places, times: string = "hedging_delay: 20ms") => {
  const { call, sent } = await world((_name, made) => (made > 0 ? { after: 0, code: "ok" } : first), { retry: `${times}, max_attempts: ${most}` });
  expect((await call("Safe")).code).toBe("ok");
  expect(sent.map((name) => name[0])).toEqual(places);
  expect(sent[0]).not.toBe(sent[1]);
});

it("a third attempt goes to another place where two neighbours are silent, and the next call's second one does at once", async () => {
  const { call, sent } = await world((name) => (name === "b" ? { after: 0, code: "ok" } : "never"));
  for (let i = 0; i < 2; i++) expect((await call("Safe")).code).toBe("ok");
  expect(sent.map((name) => name[0])).toEqual(["a", "a", "b", "a", "b"]);
});
