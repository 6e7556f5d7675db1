import { describe, expect, it } from "vitest";
import { clock } from "./clock.ts";
import { isolates, sharedStore } from "./isolate.ts";
import { type SigningKey, signingKey } from "./issuer.ts";
import { load } from "./load.ts";
import { type Provider, provider } from "./provider.ts";

const start = Date.UTC(2026, 10, 24);
const bearer = (token: string) => ({ authorization: `Bearer ${token}` });

/** Callers with a token each, which they have renewed every so many seconds. */
function callers(from: Provider, count: number, everySeconds: number) {
  const tokens: Promise<string>[] = [];
  return {
    renew(second: number): void {
      for (let i = 0; i < count; i++) if (tokens[i] === undefined || (second + i) % everySeconds === 0) tokens[i] = from.token({ claims: { sub: `caller ${i}`, jti: crypto.randomUUID() } });
    },
    token: (index: number) => tokens[index % count]!,
  };
}

describe("a provider's keys", () => {
  it("rotate every four minutes under 100 calls/s, and no good call is refused", async () => {
    const time = clock(start);
    const keys = await Promise.all(Array.from({ length: 4 }, (_, i) => signingKey(`k${i}`)));
    const id = provider(time, keys[0]!);
    const world = await isolates(2, { clock: time, store: sharedStore(time), fetch: id.fetch });
    const some = callers(id, 20, 60);
    // Published a minute ahead, taken away when its last token has been renewed.
    const rotate = (second: number): void => {
      const period = Math.floor(second / 240);
      const into = second % 240;
      const next = keys[period + 1];
      id.publish([...(into < 70 && period > 0 ? [keys[period - 1]!] : []), keys[period]!, ...(into >= 180 && next !== undefined ? [next] : [])]);
      id.signWith(keys[period]!);
      some.renew(second);
    };
    const ended = await load(time, 4 * 240, async (index) => world[index % 2]!.call(bearer(await some.token(index))), rotate);
    expect(ended.codes).toEqual({ ok: 96_000 });
    expect(ended.p99).toBeLessThanOrEqual(30);
    expect(id.asked()).toBeLessThan(12);
  });

  it("rotate from one second to the next, where they were not fetched in the last half minute: no good call is refused", async () => {
    const time = clock(start);
    const keys: readonly SigningKey[] = await Promise.all([signingKey("old"), signingKey("new")]);
    const id = provider(time, keys[0]!);
    const world = await isolates(3, { clock: time, store: sharedStore(time), fetch: id.fetch });
    const some = callers(id, 20, 10);
    const ended = await load(time, 90, async (index) => world[index % 3]!.call(bearer(await some.token(index))), (second) => {
      if (second === 40) {
        id.publish(keys);
        id.signWith(keys[1]!);
      }
      some.renew(second);
    });
    expect(ended.codes).toEqual({ ok: 9000 });
    // Each isolate may ask once in the 40 ms that an answer takes.
    expect(id.asked()).toBeLessThanOrEqual(6);
  });

  it("that were withdrawn are nobody's within the quarter of an hour, cached tokens too, however many calls use them", async () => {
    const time = clock(start);
    const [old, fresh] = [await signingKey("old"), await signingKey("new")];
    const id = provider(time, old);
    const [only] = await isolates(1, { clock: time, store: sharedStore(time), fetch: id.fetch });
    const token = await id.token();
    id.publish([fresh]);
    const first = await load(time, 1, () => only!.call(bearer(token)));
    expect(Object.keys(first.codes)).toEqual(["unauthenticated"]);
    id.publish([old]);
    time.advance(30_000);
    await load(time, 1, () => only!.call(bearer(token)));
    id.publish([fresh]);
    let until = -1;
    await load(time, 400, async () => {
      const ended = await only!.call(bearer(token));
      if (ended.code === "ok") until = time.now();
      return ended;
    });
    expect(until - start).toBeLessThan(400_000);
    expect((await load(time, 1, () => only!.call(bearer(token)))).codes).toEqual({ unauthenticated: 100 });
  });

  it.each([["refused", 100], ["silent", 20], ["HTTP 503", 20], ["HTML", 20]] as const)("are kept while the provider is away for eleven minutes (%s): good tokens pass at %d calls/s, and are not slowed down", async (how, perSecond) => {
    const time = clock(start);
    const id = provider(time, await signingKey("k1", "ES256"));
    const world = await isolates(2, { clock: time, store: sharedStore(time), fetch: id.fetch });
    // Of each caller the token was made before, but half of them are shown for the first time while the provider is away.
    const tokens = await Promise.all(Array.from({ length: 2 * perSecond }, (_, i) => id.token({ claims: { sub: `caller ${i}` } })));
    const good = (index: number, second: number) => world[index % 2]!.call(bearer(tokens[index % (second < 500 ? perSecond : 2 * perSecond)]!));
    const still = () => {};
    const before = await load(time, 290, (index) => good(index, 0), still, perSecond);
    id.away(how);
    const during = await load(time, 660, (index) => good(index, index / perSecond), still, perSecond);
    id.away(null);
    const after = await load(time, 30, (index) => good(index, 1000), still, perSecond);
    expect([before.codes, during.codes, after.codes]).toEqual([290, 660, 30].map((seconds) => ({ ok: seconds * perSecond })));
    expect(during.p99).toBeLessThanOrEqual(30);
  });

  it("are taken from the store by an isolate that begins while the provider is away", async () => {
    const time = clock(start);
    const id = provider(time, await signingKey("k1", "ES256"));
    const world = await isolates(2, { clock: time, store: sharedStore(time), fetch: id.fetch });
    const token = await id.token();
    expect((await load(time, 1, () => world[0]!.call(bearer(token)))).codes).toEqual({ ok: 100 });
    id.away("silent");
    time.advance(600_000);
    expect((await load(time, 60, () => world[1]!.call(bearer(token)))).codes).toEqual({ ok: 6000 });
  });

  it("that nobody could fetch for longer than they are kept are used no longer", async () => {
    const time = clock(start);
    const id = provider(time, await signingKey("k1", "ES256"));
    const [only] = await isolates(1, { clock: time, store: sharedStore(time), fetch: id.fetch, provider: ", keys_kept: 3600s" });
    const token = await id.token({ claims: { exp: start / 1000 + 86_400 } });
    expect((await load(time, 1, () => only!.call(bearer(token)))).codes).toEqual({ ok: 100 });
    id.away("refused");
    time.advance(3_590_000);
    expect((await load(time, 5, () => only!.call(bearer(token)))).codes).toEqual({ ok: 500 });
    time.advance(10_000);
    expect((await load(time, 5, () => only!.call(bearer(token)))).codes).toEqual({ unavailable: 500 });
    id.away(null);
    time.advance(6000);
    expect((await load(time, 5, () => only!.call(bearer(token)))).codes).toEqual({ ok: 500 });
  });
});
