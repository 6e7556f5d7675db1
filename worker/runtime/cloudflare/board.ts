import { mostBytes } from "../../core/balance/notes.ts";
import { byteReader } from "../../proxy/byte-reader.ts";
import type { Board } from "../../proxy/ports.ts";

/** The part of the Cache API that a board uses. */
export interface CacheLike {
  match(url: string): Promise<Response | undefined>;
  put(url: string, response: Response): Promise<void>;
}

/** No caller can ask for it: the name is reserved. https://www.rfc-editor.org/rfc/rfc2606 */
const origin = "https://board.fairlead.invalid";

/** Longer than an ejection may last, in seconds; the cache may forget it sooner. */
const maxAge = 600;

/**
 * A board in the cache of a data centre, which costs nothing and counts against no quota of writes. Workers of one zone share that cache, so it
 * has a name. On workers.dev it takes everything and keeps nothing; on a workerd without a cache it throws.
 * https://developers.cloudflare.com/workers/runtime-apis/cache/
 */
export function cacheBoard(cache: CacheLike, name: string): Board {
  const url = `${origin}/${name}`;
  return {
    async read() {
      const found = await cache.match(url);
      if (found === undefined || found.body === null) return null;
      const reader = byteReader(found.body as ReadableStream<Uint8Array<ArrayBuffer>>);
      const bytes = await reader.fill(mostBytes + 1);
      if (bytes.length <= mostBytes) return bytes;
      reader.cancel();
      return null;
    },
    write: (bytes) => cache.put(url, new Response(bytes, { headers: { "content-type": "application/octet-stream", "cache-control": `max-age=${maxAge}` } })),
  };
}
