import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { createFileRegistry, fromBinary, fromJson, toBinary } from "@bufbuild/protobuf";
import { FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";
import { call } from "./client.ts";
import { defects, type Proxy, runtimes, startProxy } from "./harness.ts";
import { type RawOrigin, replies, startRawOrigin } from "./origin.ts";
import { understand } from "./wire.ts";

const descriptors = join(import.meta.dirname, "../core/schema/data/kinds.binpb");
const kinds = createFileRegistry(fromBinary(FileDescriptorSetSchema, readFileSync(descriptors))).getMessage("test.kinds.v1.Kinds")!;
const path = "/test.kinds.v1.KindsService/Echo";
const json = { "content-type": "application/json" };
const proto = { "content-type": "application/proto" };
const many = (one: string, count: number) => `[${Array.from({ length: count }, () => one).join(",")}]`;

const config = (url: string) => `
descriptors: ["${descriptors}"]
clusters: { c: { dialect: CONNECT, codecs: [PROTO], localities: [{ region: here, endpoints: [{ url: "${url}/a" }, { url: "${url}/b" }] }, { region: far, priority: 1, endpoints: [{ url: "${url}/far" }] }] } }
routes: [{ match: { service: test.kinds.v1.KindsService }, cluster: c }]
`;

/** What the process holds in memory at its most, in MiB. */
function highestMiB(pid: number): number {
  return Number(/VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]) / 1024;
}

describe.each(runtimes)("a JSON caller of a protobuf origin on %s", (runtime) => {
  let origin: RawOrigin;
  let proxy: Proxy;
  beforeAll(async () => {
    origin = await startRawOrigin();
    proxy = await startProxy(runtime, config(origin.url));
  });
  afterAll(async () => {
    await proxy.stop();
    await origin.stop();
    expect(defects(proxy.log())).toEqual([]);
  });
  const says = (body: Uint8Array) => origin.answer(replies(200, proto, Buffer.from(body)));
  const message = (of: string) => toBinary(kinds, fromJson(kinds, JSON.parse(of)));
  const ask = async (body: Buffer | string, more: Record<string, string> = {}) => understand("connect-unary", await call(proxy.port, { path, headers: { ...json, ...more }, body }));

  it.each([
    ["empty messages", `{"inners":${many("{}", 1_390_000)}}`],
    ["empty lists", `{"value":${many("[]", 1_390_000)}}`],
    ["numbers in a list", `{"value":${many("0", 2_000_000)}}`],
    ["entries of a map", `{"byName":{${Array.from({ length: 300_000 }, (_, i) => `"${i}":{}`).join(",")}}}`],
    ["what the schema does not know", `{"x":${many("[]", 1_390_000)}}`],
  ])("is refused what would take all of an isolate's memory, though it is small on the wire: %s", async (_what, text) => {
    const before = highestMiB(proxy.pid);
    says(message('{"aString":"x"}'));
    expect(await ask(gzipSync(text), { "content-encoding": "gzip" })).toMatchObject({ code: "resource_exhausted" });
    expect(origin.seen).toEqual([]);
    expect((await ask('{"aString":"x"}')).code).toBe("ok");
    expect(highestMiB(proxy.pid) - before).toBeLessThan(150);
  });

  it.each([
    ["empty messages", Buffer.alloc(999_999, Buffer.of(0xa2, 0x01, 0x00))],
    ["unknown fields", Buffer.alloc(999_999, Buffer.of(0xc0, 0x3e, 0x01))],
    ["packed numbers", Buffer.concat([Buffer.of(0x9a, 0x01, 0x80, 0x80, 0xc0, 0x01), Buffer.alloc(3 << 20, 1)])],
  ])("is refused a reply that would: %s", async (_what, body) => {
    says(body);
    expect(await ask("{}")).toMatchObject({ code: "resource_exhausted" });
    says(message('{"aString":"x"}'));
    expect((await ask("{}")).code).toBe("ok");
  });

  it("may send and get what is large and honest", async () => {
    const books = `{"inners":${many('{"name":"a name of twenty-four ch","inner":{"name":"and another one"}}', 20_000)}}`;
    says(message(books));
    expect((await ask(books)).code).toBe("ok");
  });

  it.each([
    ["text of digits", `{"aString":"${`${"1".repeat(308)}x`.repeat(13_000)}"}`, "ok"],
    ["an integer of a million digits", `{"anInt64":"${"9".repeat(1_000_000)}"}`, "invalid_argument"],
    ["a number beyond a double", `{"value":${"9".repeat(300)}e9}`, "invalid_argument"],
  ] as const)("holds up nobody with %s", async (_what, text, code) => {
    says(message('{"aString":"x"}'));
    const began = performance.now();
    expect((await ask(gzipSync(text), { "content-encoding": "gzip" })).code).toBe(code);
    expect(performance.now() - began).toBeLessThan(1000);
  });

  it("takes no endpoint out by reading a record that JSON has no words for, and the log says why", async () => {
    says(Buffer.concat([Buffer.of(0xea, 0x01, 0x13, 0x0a, 0x11), Buffer.from("t.example/no.Such")]));
    for (let i = 0; i < 30; i++) expect(await ask("{}")).toMatchObject({ code: "internal", message: "the origin's reply cannot be written in the caller's codec" });
    expect(proxy.log()).toMatch(/"event":"upstream-failed".*"kind":"reply-unwritable","what":".*no\.Such/);
    expect(proxy.log()).not.toContain("endpoint-ejected");
    expect(origin.seen.filter(({ url }) => url.startsWith("/far"))).toEqual([]);
  });

  it("hears that a reply is malformed, and so does the log", async () => {
    says(Buffer.of(0xff));
    expect(await ask("{}")).toMatchObject({ code: "internal" });
    expect(proxy.log()).toMatch(/"event":"upstream-failed".*"kind":"malformed-reply","what":"a message is not of the method's type"/);
  });
});
