import { createHash } from "node:crypto";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { wranglerKv } from "../../cli/store/wrangler-kv.ts";
import { readStoredKeys } from "../../worker/core/auth/api-keys.ts";
import { fairleadIn, offline } from "./fairlead.ts";
import { folder, withLocalities } from "./temporary.ts";

const yaml = `${withLocalities("[{ region: a, endpoints: [{ url: http://127.0.0.1:1 }] }]")}\nauth: { providers: { scripts: { api_keys: { stored: true } } }, rules: [{ match: { prefix: / }, require: {} }] }\n`;
const toml = 'name = "fairlead"\ncompatibility_date = "2026-11-17"\n[[kv_namespaces]]\nbinding = "FAIRLEAD"\n';
Object.assign(process.env, offline);

/** A folder with a KV of its own, and `fairlead keys` in it. */
function world() {
  const directory = folder({ "fairlead.yaml": yaml, "wrangler.toml": toml });
  const kv = () => wranglerKv({ where: "local", config: join(directory, "wrangler.toml"), env: undefined });
  const keys = async (...args: string[]): Promise<string> => (await fairleadIn(directory)("keys", ...args, "--local")).out.trim();
  return { kv, keys };
}

const bytes = (text: string) => new TextEncoder().encode(text);

describe("a document in Cloudflare's KV, which writes without a condition", { timeout: 90_000 }, () => {
  it("is swapped where nobody writes it meanwhile, and is not where somebody does, whose word is then there", async () => {
    const { kv } = world();
    const mine = kv();
    expect(await mine.swap("a", null, bytes("1"))).toBe(true);
    expect(Buffer.from((await mine.get("a"))!).toString()).toBe("1");
    const swapping = mine.swap("a", bytes("1"), bytes("2"));
    // The swap has begun to write, and reads 5 s after it has.
    await sleep(1500);
    await kv().put("a", bytes("3"));
    expect(await swapping).toBe(false);
    expect(Buffer.from((await mine.get("a"))!).toString()).toBe("3");
  });

  it("loses none of two keys that are added at once, as each is found to be there afterwards or added anew", async () => {
    const { kv, keys } = world();
    const added = await Promise.all([keys("add", "a"), keys("add", "b")]);
    const stored = readStoredKeys((await kv().get("api-keys/scripts"))!)!;
    expect(new Set(stored.keys())).toEqual(new Set(added.map((key) => createHash("sha256").update(key).digest("hex"))));
  });
});
