import { request as httpRequest, type ClientRequest, type IncomingMessage } from "node:http";
import { connect } from "node:net";

export interface Sent {
  readonly method?: string;
  readonly path: string;
  readonly headers?: Record<string, string | string[]>;
  /** Bytes with a declared length; or a list of chunks, sent chunked. */
  readonly body?: Uint8Array | string | readonly Uint8Array[];
  /** Milliseconds before each chunk but the first. */
  readonly pause?: number;
}

export interface Received {
  readonly status: number;
  readonly headers: IncomingMessage["headers"];
  readonly body: Buffer;
  /** Whether the connection broke before the reply was whole; before its head, the status is 0. */
  readonly cut: boolean;
  /** Milliseconds from the start. */
  readonly ms: number;
}

/** A call under way. */
export interface Open {
  readonly request: ClientRequest;
  /** The reply's head. */
  readonly head: Promise<IncomingMessage>;
}

/** Sends a request on a connection of its own, and waits for nothing. */
export function open(port: number, { method = "POST", path, headers = {}, body, pause = 0 }: Sent): Open {
  const chunks = body === undefined ? [] : Array.isArray(body) ? (body as readonly Uint8Array[]) : [Buffer.from(body as Uint8Array)];
  const declared = Array.isArray(body) || method === "GET" ? {} : { "content-length": String(chunks[0]?.length ?? 0) };
  const request = httpRequest({ host: "127.0.0.1", port, method, path, headers: { ...declared, ...headers }, agent: false });
  const head = new Promise<IncomingMessage>((resolve, reject) => request.on("response", resolve).on("error", reject));
  head.catch(() => {});
  send(request, chunks, pause).catch((error: unknown) => request.destroy(error as Error));
  return { request, head };
}

async function send(request: ClientRequest, chunks: readonly Uint8Array[], pause: number): Promise<void> {
  for (const [index, chunk] of chunks.entries()) {
    if (index > 0 && pause > 0) await new Promise((resolve) => setTimeout(resolve, pause));
    if (request.destroyed) return;
    request.write(chunk);
  }
  request.end();
}

/** Sends a request and reads its reply to the end. */
export async function call(port: number, sent: Sent): Promise<Received> {
  const start = performance.now();
  const { request, head } = open(port, sent);
  const response = await head.catch((error: Error & { code?: string }) => {
    if (error.code === "ECONNRESET") return undefined;
    throw error;
  });
  if (response === undefined) return { status: 0, headers: {}, body: Buffer.alloc(0), cut: true, ms: performance.now() - start };
  const chunks: Buffer[] = [];
  let cut = false;
  try {
    for await (const chunk of response) chunks.push(chunk as Buffer);
  } catch {
    cut = true;
  }
  request.destroy();
  const { statusCode = 0, headers } = response;
  return { status: statusCode, headers, body: Buffer.concat(chunks), cut, ms: performance.now() - start };
}

/** Writes bytes on a socket and gives back all that comes until it closes. */
export function raw(port: number, bytes: string | Uint8Array): Promise<string> {
  return new Promise((resolve) => {
    let text = "";
    const socket = connect(port, "127.0.0.1", () => socket.write(bytes));
    socket.on("data", (chunk) => (text += chunk.toString("latin1")));
    socket.on("error", () => {});
    socket.on("close", () => resolve(text));
  });
}
