import { Agent, createServer, request as send, type IncomingMessage } from "node:http";
import { listen } from "./listen.ts";
import type { Address } from "./messages.ts";
import type { Setup } from "./options.ts";
import type { Running } from "./origin.ts";

/**
 * Stands before the suite's server, which speaks every protocol and codec, and makes of it an origin that speaks only
 * what the setup says: any other call gets HTTP 415, so that a proxy that merely passes calls through fails.
 * Calls and replies go through as they are.
 */
export async function startGate(origin: Address, setup: Setup): Promise<Running> {
  const agent = new Agent({ keepAlive: true });
  const server = createServer((call, reply) => {
    if (!speaks(call, setup)) {
      reply.writeHead(415, { "content-type": "text/plain" }).end(`the origin does not speak this: ${described(call)}\n`);
      return;
    }
    const upstream = send({ agent, host: origin.host, port: origin.port, method: call.method, path: call.url, headers: call.rawHeaders });
    upstream.on("response", (answer) => {
      reply.sendDate = false;
      reply.writeHead(answer.statusCode ?? 500, answer.rawHeaders);
      reply.flushHeaders();
      answer.on("error", () => reply.destroy());
      answer.pipe(reply);
    });
    upstream.on("error", () => reply.destroy());
    reply.on("close", () => reply.writableFinished || upstream.destroy());
    call.pipe(upstream);
    upstream.flushHeaders();
  });
  return await listen(server, () => agent.destroy());
}

function speaks(call: IncomingMessage, { origin, recode }: Setup): boolean {
  const contentType = call.headers["content-type"] ?? "";
  const grpcWeb = contentType.startsWith("application/grpc-web");
  if (origin === "connect" && grpcWeb) return false;
  if (origin === "grpc-web" && (!grpcWeb || contentType.startsWith("application/grpc-web-text"))) return false;
  return !(recode && (contentType.endsWith("json") || new URL(call.url ?? "/", "http://origin").searchParams.get("encoding") === "json"));
}

function described(call: IncomingMessage): string {
  return `${call.method} ${call.url?.slice(0, 200)}, content-type ${call.headers["content-type"] ?? "none"}`;
}
