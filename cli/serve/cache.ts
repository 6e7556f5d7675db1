import { createServer } from "node:http";
import { bodyOf } from "./kv.ts";

/** A cache in this process's memory, over HTTP on a Unix socket, for as many proxies as are to share it. */
export interface LocalCache {
  close(): void;
}

const headEnd = Buffer.from("\r\n\r\n");

/**
 * Plain workerd has no cache of its own: its Cache API asks a service, `PUT` with a whole HTTP response in the body, and `GET`, whose answer
 * counts if it has `cf-cache-status: HIT`. What is put here stays until it is put anew: nothing but the proxy's board is.
 * https://github.com/cloudflare/workerd/blob/main/src/workerd/api/cache.c%2B%2B
 */
export function serveCache(socket: string): LocalCache {
  const held = new Map<string, Buffer>();
  const server = createServer(async (request, response) => {
    const key = `${request.headers.host} ${request.url}`;
    if (request.method === "PUT") {
      const whole = Buffer.from(await bodyOf(request));
      held.set(key, whole.subarray(whole.indexOf(headEnd) + headEnd.length));
      return void response.writeHead(204).end();
    }
    const body = held.get(key);
    if (body === undefined) response.writeHead(504, { "cf-cache-status": "MISS" }).end();
    else response.writeHead(200, { "cf-cache-status": "HIT" }).end(body);
  });
  server.listen(socket);
  server.unref();
  return {
    close() {
      server.close();
      server.closeAllConnections();
    },
  };
}
