import { describe, expect, it } from "vitest";
import { storedKeysKey } from "../../worker/core/auth/api-keys.ts";
import { clock } from "./clock.ts";
import { isolates, sharedStore } from "./isolate.ts";
import { signingKey, token } from "./issuer.ts";
import { load } from "./load.ts";
import { provider } from "./provider.ts";

const start = Date.UTC(2026, 10, 24);

describe("a flood of tokens with random kids", () => {
  /** Five minutes of it at 100 calls/s over so many isolates, while one caller with a good token calls on. */
  async function flood(count: number, seenAfterMs: number) {
    const time = clock(start);
    const [mine, nobodys] = [await signingKey("k1", "ES256"), await signingKey("x", "ES256")];
    const id = provider(time, mine);
    const world = await isolates(count, { clock: time, store: sharedStore(time, seenAfterMs), fetch: id.fetch });
    const good = await token(mine, start);
    const bad = await Promise.all(Array.from({ length: 500 }, (_, i) => token(nobodys, start, { header: { kid: `k${i}-${crypto.randomUUID()}` } })));
    const ended = await load(time, 300, (index) => world[index % count]!.call({ authorization: `Bearer ${index % 10 === 0 ? good : bad[index % bad.length]!}` }));
    expect(ended.codes).toEqual({ ok: 3000, unauthenticated: 27_000 });
    expect(world.reduce((sum, { reached }) => sum + reached(), 0)).toBe(3000);
    return { asked: id.asked(), ended };
  }

  it("has one isolate fetch the keys once in a cool-down", async () => {
    expect((await flood(1, 0)).asked).toBeLessThanOrEqual(11);
  });

  // In the first moment nobody has them, and each that is called before the first answer has come asks for itself.
  it("has ten isolates together fetch the keys once in a cool-down", async () => {
    const { asked, ended } = await flood(10, 0);
    expect(asked).toBeLessThanOrEqual(11 + 9);
    expect(ended.p99).toBeLessThan(500);
  });

  it("has isolates that see each other's news after a minute, as on Cloudflare, fetch no more than each for itself", async () => {
    expect((await flood(10, 60_000)).asked).toBeLessThanOrEqual(11 * 10);
  });
});

describe("a stored API key", () => {
  it("that is revoked is nobody's within half a minute, whoever used it before", async () => {
    const time = clock(start);
    const store = sharedStore(time);
    const [only] = await isolates(1, { clock: time, store, fetch: () => Promise.resolve({ failure: "nobody asks" }) });
    const sha256 = Buffer.from(await crypto.subtle.digest("SHA-256", Buffer.from("the-key"))).toString("hex");
    const write = (more: object) => store.put(storedKeysKey("keys"), Buffer.from(JSON.stringify({ schemaVersion: 1, keys: [{ name: "app", sha256, scopes: [], ...more }] })));
    const call = () => only!.call({ "x-api-key": "the-key" }, "/t.S/Keyed");
    await write({});
    expect((await load(time, 60, call)).codes).toEqual({ ok: 6000 });
    await write({ revoked: "2026-11-24T00:01:00Z" });
    let until = 0;
    await load(time, 60, async () => {
      const ended = await call();
      if (ended.code === "ok") until = time.now();
      return ended;
    });
    expect(until - start - 60_000).toBeLessThanOrEqual(30_000);
    expect((await load(time, 1, call)).codes).toEqual({ unauthenticated: 100 });
  });
});
