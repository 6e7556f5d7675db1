import { connect } from "node:net";
import { replyReader } from "./reply-reader.ts";

export interface LoadOptions {
  readonly port: number;
  /** A whole HTTP/1.1 request, sent again as soon as its reply is complete; or a function that gives the next one. */
  readonly request: Buffer | (() => Buffer);
  /** Kept-alive connections, each with one request at a time. */
  readonly connections: number;
  /** No request begins after so many milliseconds; the ones under way are waited for. */
  readonly ms: number;
}

export interface Loaded {
  readonly calls: number;
  /** Bytes of the replies' bodies. */
  readonly bytes: number;
  /** Of each call, in milliseconds. */
  readonly latencies: readonly number[];
}

/** Sends one request over and over. Rejects where a reply is not HTTP 200, or a connection breaks. */
export async function load({ port, request, connections, ms }: LoadOptions): Promise<Loaded> {
  const latencies: number[] = [];
  const end = performance.now() + ms;
  const sizes = await Promise.all(Array.from({ length: connections }, () => loop(port, request, end, latencies)));
  return { calls: latencies.length, bytes: sizes.reduce((a, b) => a + b, 0), latencies };
}

function loop(port: number, request: LoadOptions["request"], end: number, latencies: number[]): Promise<number> {
  return new Promise((resolve, reject) => {
    const reader = replyReader();
    const next = typeof request === "function" ? request : () => request;
    let start = performance.now();
    const socket = connect({ port, host: "127.0.0.1", noDelay: true }, () => socket.write(next()));
    socket.on("error", reject);
    socket.on("close", () => reject(new Error("Cannot go on as the server must keep the connection open")));
    socket.on("data", (chunk) => {
      try {
        if (!reader.push(chunk)) return;
      } catch (error) {
        socket.destroy();
        return reject(error as Error);
      }
      const now = performance.now();
      latencies.push(now - start);
      start = now;
      if (now < end) return void socket.write(next());
      resolve(reader.takeBytes());
      socket.destroy();
    });
  });
}

/** A POST request as bytes. `more` is further header lines, each with its line break. */
export function post(path: string, contentType: string, body: Uint8Array, more = ""): Buffer {
  const head = `POST ${path} HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: ${contentType}\r\nconnect-protocol-version: 1\r\naccept: */*\r\nuser-agent: fairlead-bench\r\n${more}content-length: ${body.length}\r\n\r\n`;
  return Buffer.concat([Buffer.from(head, "latin1"), body]);
}
