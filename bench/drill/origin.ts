import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { answersOf, type Say } from "./answers.ts";
import { type Endpoint, type Fault, grayFactor, healthPath, workMs } from "./layout.ts";

export interface Origin {
  readonly port: number;
  /** Health checks that came so far. */
  readonly probes: () => number;
  /** Begins a fault, or ends it; settles once it holds. */
  set(fault: Fault | null): Promise<void>;
}

/** Serves one endpoint; `onCall` is told of each call when its head is there, answered or not. */
export async function openOrigin({ name, rttMs }: Endpoint, port: number, onCall: (headers: IncomingHttpHeaders) => void): Promise<Origin> {
  const answers = answersOf(name);
  const usualMs = rttMs + workMs;
  const sockets = new Set<Socket>();
  let fault: Fault | null = null;
  let probes = 0;
  let calls = 0;

  function handle(request: IncomingMessage, response: ServerResponse): void {
    const probe = request.url === healthPath;
    if (probe) probes++;
    else onCall(request.headers);
    request.resume().once("end", () => {
      // A request that came while the endpoint was a black hole is lost for good.
      if (fault === "blackhole") return;
      const ill = fault === "unavailable" || fault === "trailers-only" || (fault === "gray" && !probe && calls++ % 2 === 0);
      const ms = fault === "gray" && !ill ? usualMs * grayFactor : usualMs;
      setTimeout(() => fault === "blackhole" || reply(response, ill ? "unavailable" : probe ? "serving" : "reply", request.headers["content-type"] ?? ""), ms);
    });
  }

  function reply(response: ServerResponse, say: Say, contentType: string): void {
    const { status, type, body } = answers(say, contentType);
    response.writeHead(status, { "content-type": type, "content-length": body.length }).end(body);
  }

  // Idle connections stay: one that closes by itself would look like a fault.
  const server = createServer({ keepAliveTimeout: 600_000, requestTimeout: 0 }, handle);
  server.on("connection", (socket) => {
    sockets.add(socket);
    socket.setNoDelay(true);
    socket.once("close", () => sockets.delete(socket));
  });
  const listen = () =>
    new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen({ port, host: "127.0.0.1", backlog: 4096 }, () => {
        server.off("error", reject);
        resolve();
      });
    });
  await listen();

  return {
    port,
    probes: () => probes,
    async set(next) {
      if (fault === "refused") await listen();
      fault = next;
      if (fault !== "refused") return;
      const closed = new Promise((resolve) => server.close(resolve));
      for (const socket of sockets) socket.resetAndDestroy();
      await closed;
    },
  };
}
