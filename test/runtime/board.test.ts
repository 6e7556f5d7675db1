import { describe, expect, it } from "vitest";
import { mostBytes } from "../../worker/core/balance/notes.ts";
import { type CacheLike, cacheBoard } from "../../worker/runtime/cloudflare/board.ts";

/** A cache whose one document goes on for as long as it is read. */
function endless(): CacheLike & { given: number; isCancelled: boolean } {
  const cache = {
    given: 0,
    isCancelled: false,
    match: () => Promise.resolve<Response | undefined>(new Response(new ReadableStream({
      type: "bytes",
      pull(controller) {
        cache.given += 65_536;
        if (cache.given > 16 * mostBytes) return controller.close();
        controller.enqueue(new Uint8Array(65_536));
      },
      cancel: () => void (cache.isCancelled = true),
    }))),
    put: () => Promise.resolve(),
  };
  return cache;
}

function keeping(): CacheLike {
  const kept = new Map<string, Response>();
  return { match: async (url) => kept.get(url)?.clone(), put: async (url, response) => void kept.set(url, response) };
}

describe("a board in a cache", () => {
  it("is read no farther than a board may be long, and then counts as empty", async () => {
    const cache = endless();
    expect(await cacheBoard(cache, "name").read()).toBeNull();
    expect(cache.given).toBeLessThanOrEqual(mostBytes + 2 * 65_536);
    expect(cache.isCancelled).toBe(true);
  });

  it.each([0, 1, 1000, mostBytes])("of %i bytes is read as it was written, by its name alone", async (length) => {
    const cache = keeping();
    const bytes = new Uint8Array(length).fill(7);
    await cacheBoard(cache, "name").write(bytes);
    expect(new Uint8Array((await cacheBoard(cache, "name").read())!)).toEqual(bytes);
    expect(await cacheBoard(cache, "other").read()).toBeNull();
  });

  it("of one byte more counts as empty", async () => {
    const cache = keeping();
    await cacheBoard(cache, "name").write(new Uint8Array(mostBytes + 1));
    expect(await cacheBoard(cache, "name").read()).toBeNull();
  });
});
