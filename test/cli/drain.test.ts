import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { denoKvFile } from "../../cli/store/deno-kv.ts";
import { decodeOverrides } from "../../worker/core/health/codec.ts";
import { openToAll } from "../open-to-all.ts";
import { fairleadIn } from "./fairlead.ts";
import { folder, withLocalities } from "./temporary.ts";

const yaml = openToAll(withLocalities('[{ region: eu, endpoints: [{ url: "https://eu-1.example.com/" }, { url: "https://eu-2.example.com" }] }]'));
const wrangler = 'name = "fairlead"\ncompatibility_date = "2026-11-17"\n[[kv_namespaces]]\nbinding = "FAIRLEAD"\n';

describe("`drain`", () => {
  it("drains a cluster, a region or an endpoint until it is undrained, and lists what is drained", async () => {
    const fairlead = fairleadIn(folder({ "fairlead.yaml": yaml }));
    const run = (verb: string, ...args: string[]) => fairlead(verb, ...args, "--kv", "kv.sqlite");
    expect(await run("drain")).toMatchObject({ code: 0, out: "nothing is drained\n" });
    expect(await run("drain", "users/eu/https://eu-1.example.com", "--reason", "new disks")).toMatchObject({ code: 0, out: "users/eu/https://eu-1.example.com: drained\n" });
    expect((await run("drain", "users/eu")).code).toBe(0);
    expect((await run("drain")).out).toMatch(/^drained +since +reason\n.*\nusers\/eu\/https:\/\/eu-1\.example\.com +\d{4}-.*Z +new disks\nusers\/eu +\d{4}-.*\n$/);
    expect((await run("undrain", "users/eu")).code).toBe(0);
    expect(await run("undrain", "users/eu")).toMatchObject({ code: 1, err: 'Cannot undrain "users/eu" as the target must be drained: drained are users/eu/https://eu-1.example.com\n' });
    expect((await run("undrain", "--all")).code).toBe(0);
    expect((await run("drain")).out).toBe("nothing is drained\n");
  });

  it("does so in the KV of `wrangler dev` too", async () => {
    const run = fairleadIn(folder({ "fairlead.yaml": yaml, "wrangler.toml": wrangler }));
    expect(await run("drain", "users/eu", "--local")).toMatchObject({ code: 0, out: "users/eu: drained\n" });
    expect((await run("drain", "--local")).out).toMatch(/^drained .*\n.*\nusers\/eu +\d{4}-.*\n$/);
  }, 60_000);
});

it("`weigh` sets the weight of a region or an endpoint until it is lifted, lists what is set, and leaves drains alone", async () => {
  const directory = folder({ "fairlead.yaml": yaml });
  const fairlead = fairleadIn(directory);
  const run = (verb: string, ...args: string[]) => fairlead(verb, ...args, "--kv", "kv.sqlite");
  expect(await run("weigh")).toMatchObject({ code: 0, out: "all weigh what the config says\n" });
  expect((await run("drain", "users/eu/https://eu-2.example.com")).code).toBe(0);
  expect(await run("weigh", "users/eu", "7")).toMatchObject({ code: 0, out: "users/eu: weighs 7\n" });
  expect(await run("weigh", "users/eu/https://eu-1.example.com", "0")).toMatchObject({ code: 0, out: "users/eu/https://eu-1.example.com: weighs 0\n" });
  expect((await run("weigh")).out).toMatch(/^weighed +weight +since\n.*\nusers\/eu +7 +\d{4}-.*Z\nusers\/eu\/https:\/\/eu-1\.example\.com +0 +\d{4}-.*\n$/);
  expect(await run("weigh", "users/eu", "null")).toMatchObject({ code: 0, out: "users/eu: weighs what the config says\n" });
  expect(decodeOverrides(await denoKvFile(join(directory, "kv.sqlite")).get("overrides"))).toMatchObject({
    value: { drains: [{ target: "users/eu/https://eu-2.example.com" }], weights: [{ target: "users/eu/https://eu-1.example.com", weight: 0 }] },
  });
  expect(await run("weigh", "users/eu", "null")).toMatchObject({ code: 1, err: 'Cannot lift the weight of "users/eu" as it must have been set: set are those of users/eu/https://eu-1.example.com\n' });
  expect(await run("weigh", "users", "2")).toMatchObject({ code: 1, err: expect.stringContaining('Cannot weigh "users" as it must be a region or an endpoint of fairlead.yaml') });
  for (const text of ["-1", "1000001", "1.5", "much"]) expect((await run("weigh", "users/eu", text)).code).toBe(1);
});

it("`undrain --all` lifts every drain and leaves every weight as it is set", async () => {
  const directory = folder({ "fairlead.yaml": yaml });
  const fairlead = fairleadIn(directory);
  const run = (verb: string, ...args: string[]) => fairlead(verb, ...args, "--kv", "kv.sqlite");
  await run("drain", "users/eu");
  await run("drain", "users/eu/https://eu-2.example.com");
  await run("weigh", "users/eu", "7");
  await run("weigh", "users/eu/https://eu-1.example.com", "0");
  const decided = async () => decodeOverrides(await denoKvFile(join(directory, "kv.sqlite")).get("overrides"));
  const before = await decided();
  expect(before).toMatchObject({ value: { drains: [{ target: "users/eu" }, { target: "users/eu/https://eu-2.example.com" }], weights: [{ target: "users/eu", weight: 7 }, { target: "users/eu/https://eu-1.example.com", weight: 0 }] } });
  expect((await run("undrain", "--all")).code).toBe(0);
  expect(await decided()).toMatchObject({ value: { drains: [], weights: "value" in before && before.value.weights } });
});

it("what the config has not is not drained", async () => {
  const run = fairleadIn(folder({ "fairlead.yaml": yaml }));
  expect(await run("drain", "users/eu/https://eu-3.example.com", "--kv", "kv.sqlite")).toMatchObject({ code: 1, err: expect.stringMatching(/must be a cluster, a region or an endpoint of fairlead.yaml: did you mean "users\/eu\/https:\/\/eu-[12].example.com"/) });
  expect(await run("drain", "users")).toMatchObject({ code: 1, err: "Cannot tell which proxies are meant: one of --remote, --local and --kv FILE must be given\n" });
});

it("a document that cannot be read is not written over, unless everything is undrained", async () => {
  const directory = folder({ "fairlead.yaml": yaml });
  const store = denoKvFile(join(directory, "kv.sqlite"));
  await store.put("overrides", Uint8Array.of(1, 2, 3));
  const run = fairleadIn(directory);
  expect(await run("drain", "users", "--kv", "kv.sqlite")).toMatchObject({ code: 1, err: expect.stringContaining("it is corrupt") });
  expect((await run("undrain", "--all", "--kv", "kv.sqlite")).code).toBe(0);
  expect(decodeOverrides(await store.get("overrides"))).toMatchObject({ value: { drains: [] } });
});
