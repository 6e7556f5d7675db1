import { connect } from "node:net";
import type { Received } from "../client.ts";

/** How long a proxy may take for an answer, in milliseconds: a call that hangs is no refused one. */
const patience = 8000;

/**
 * Writes a request as it is, and reads the reply to its end; the request must ask for the connection to be closed. A connection that
 * is closed without a reply has status 0.
 */
export function exchange(port: number, bytes: Uint8Array): Promise<Received> {
  const begun = performance.now();
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    const socket = connect({ port, host: "127.0.0.1" }, () => socket.write(bytes));
    const late = setTimeout(() => socket.destroy(new Error(`no answer within ${patience} ms`)), patience);
    let failed: NodeJS.ErrnoException | undefined;
    socket.on("data", (chunk) => chunks.push(chunk));
    socket.on("error", (error) => (failed = error));
    socket.on("close", () => {
      clearTimeout(late);
      if (failed !== undefined && failed.code === undefined) return reject(failed);
      resolve({ ...replyFrom(Buffer.concat(chunks)), ms: performance.now() - begun });
    });
  });
}

function replyFrom(bytes: Buffer): Omit<Received, "ms"> {
  const end = bytes.indexOf("\r\n\r\n");
  if (end === -1) return { status: 0, headers: {}, body: Buffer.alloc(0), cut: true };
  const [line = "", ...lines] = bytes.subarray(0, end).toString("latin1").split("\r\n");
  const headers: Record<string, string> = {};
  for (const one of lines) {
    const name = one.slice(0, one.indexOf(":")).toLowerCase();
    const value = one.slice(one.indexOf(":") + 1).trim();
    headers[name] = headers[name] === undefined ? value : `${headers[name]}, ${value}`;
  }
  const rest = bytes.subarray(end + 4);
  const body = headers["transfer-encoding"] === "chunked" ? dechunked(rest) : rest;
  const cut = body === undefined || (headers["content-length"] !== undefined && body.length !== Number(headers["content-length"]));
  return { status: Number(line.split(" ")[1]), headers, body: body ?? Buffer.alloc(0), cut };
}

/** Undefined where the last chunk has not come. */
function dechunked(bytes: Buffer): Buffer | undefined {
  const chunks: Buffer[] = [];
  for (let at = 0; ; ) {
    const lineEnd = bytes.indexOf("\r\n", at);
    const size = lineEnd === -1 ? NaN : parseInt(bytes.subarray(at, lineEnd).toString("latin1"), 16);
    if (Number.isNaN(size)) return undefined;
    if (size === 0) return Buffer.concat(chunks);
    chunks.push(bytes.subarray(lineEnd + 2, lineEnd + 2 + size));
    at = lineEnd + 2 + size + 2;
  }
}
