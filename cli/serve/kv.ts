import { createServer, type IncomingMessage } from "node:http";
import type { Store } from "../../worker/proxy/ports.ts";

/** A KV namespace in this process's memory, over HTTP on a Unix socket. */
export interface LocalKv {
  readonly store: Store;
  close(): void;
}

/**
 * Plain workerd has no KV of its own: a `kvNamespace` binding is a service that is asked `GET` and `PUT /KEY?urlencoded=true`, and
 * answers 404 where there is nothing. https://github.com/cloudflare/workerd/blob/main/src/workerd/api/kv.c%2B%2B
 */
export function serveKv(socket: string): LocalKv {
  const documents = new Map<string, Uint8Array>();
  const server = createServer(async (request, response) => {
    const key = keyOf(request);
    if (request.method === "PUT") {
      documents.set(key, await bodyOf(request));
      return void response.end();
    }
    const bytes = documents.get(key);
    if (bytes === undefined) response.writeHead(404).end();
    else response.end(bytes);
  });
  server.listen(socket);
  server.unref();
  return {
    store: {
      get: async (key) => documents.get(key) ?? null,
      put: async (key, bytes) => void documents.set(key, bytes),
    },
    close() {
      server.close();
      server.closeAllConnections();
    },
  };
}

function keyOf({ url = "" }: IncomingMessage): string {
  return decodeURIComponent(url.slice(1).replace(/\?.*$/, ""));
}

/** A request's whole body. */
export async function bodyOf(request: IncomingMessage): Promise<Uint8Array> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return new Uint8Array(Buffer.concat(chunks));
}
