import { join } from "node:path";
import { expect, it } from "vitest";
import { check } from "../../cli/config/check.ts";
import { encodeArtifact } from "../../worker/core/config/artifact.ts";
import { data, folder } from "./temporary.ts";

function compiled(env?: string) {
  const { config, issues } = check(data("good.yaml"), { env });
  expect(issues).toEqual([]);
  if (config === undefined) throw new Error("no issue and no config");
  return config;
}

it("a good file compiles to data with every default filled in", async () => {
  await expect(`${JSON.stringify(compiled(), null, 2)}\n`).toMatchFileSnapshot("data/good.compiled.json");
});

it("an overlay is merged key by key, and its lists replace the file's", () => {
  const base = compiled();
  const staging = compiled("staging");
  const users = staging.clusters.find(({ name }) => name === "users");
  expect(users?.dialect).toBe("connect");
  expect(users?.localities.map(({ region, endpoints }) => [region, endpoints[0]?.url])).toEqual([["local", "http://127.0.0.1:9090"]]);
  expect(staging.clusters.find(({ name }) => name === "users-v2")).toEqual(base.clusters.find(({ name }) => name === "users-v2"));
  expect(staging.limits).toEqual({ ...base.limits, heldBytes: 67108864 });
  expect(staging.routes).toEqual(base.routes);
});

it("the same file gives the same bytes", async () => {
  expect(await encodeArtifact(compiled())).toEqual(await encodeArtifact(compiled()));
});

it("an overlay's null takes away what the file has, in messages and in maps by name", () => {
  const file = "clusters: { a: { dialect: SAME, band_km: 9, localities: [{ region: r, endpoints: [{ url: http://127.0.0.1:1 }] }] }, b: { dialect: SAME, localities: [{ region: r, endpoints: [{ url: http://127.0.0.1:1 }] }] } }";
  const yaml = `${file}\nroutes: [{ match: { prefix: / }, cluster: a }]\nauth: { rules: [{ match: { prefix: / }, allow: PUBLIC }] }\nexplain: { anybody: true }\nenvironments: { p: { explain: null, clusters: { a: { band_km: null }, b: null } } }`;
  const { config } = check(join(folder({ "fairlead.yaml": yaml }), "fairlead.yaml"), { env: "p" });
  expect(config?.explain).toBeNull();
  expect(config?.clusters.map(({ name, bandKm }) => [name, bandKm])).toEqual([["a", 250]]);
});
