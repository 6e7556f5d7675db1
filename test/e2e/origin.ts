import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/** One request as the origin saw it. */
export interface Seen {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingMessage["headers"];
  /** The body, once it has come whole; what has come, where it was cut. */
  readonly body: Promise<Buffer>;
  /** Settles when the exchange is over: whether it was cut before the origin had answered whole. */
  readonly cut: Promise<boolean>;
}

/** Answers one request: all of HTTP and, by `response.socket`, of TCP is in its hands. */
export type Answer = (response: ServerResponse, seen: Seen) => unknown;

/** An origin that does what each test tells it to. */
export interface RawOrigin {
  readonly url: string;
  /** Sets how requests are answered from now on, and forgets those seen before. */
  answer(answer: Answer): void;
  /** The requests seen since. */
  readonly seen: readonly Seen[];
  stop(): Promise<void>;
}

export async function startRawOrigin(): Promise<RawOrigin> {
  let answer: Answer = (response) => response.writeHead(404).end();
  const seen: Seen[] = [];
  const server = createServer({ maxHeaderSize: 128 * 1024 }, (request, response) => {
    response.on("error", () => {});
    const one = see(request, response);
    seen.push(one);
    answer(response, one);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    seen,
    answer(next) {
      answer = next;
      seen.length = 0;
    },
    async stop() {
      server.close();
      server.closeAllConnections();
      await once(server, "close");
    },
  };
}

function see(request: IncomingMessage, response: ServerResponse): Seen {
  const { promise: body, resolve } = Promise.withResolvers<Buffer>();
  const chunks: Buffer[] = [];
  request.on("data", (chunk: Buffer) => chunks.push(chunk));
  request.on("error", () => {});
  request.on("close", () => resolve(Buffer.concat(chunks)));
  request.on("end", () => resolve(Buffer.concat(chunks)));
  const cut = new Promise<boolean>((settle) => response.on("close", () => settle(!response.writableFinished)));
  return { method: request.method ?? "", url: request.url ?? "", headers: request.headers, body, cut };
}

/** Answers with a status, headers and a body. */
export function replies(status: number, headers: Record<string, string | string[]>, body: string | Uint8Array = ""): Answer {
  return async (response, seen) => {
    await seen.body;
    response.writeHead(status, headers).end(body);
  };
}

/** Takes the request and never answers. */
export const never: Answer = () => {};
