import { createServer, type Http2ServerRequest, type Http2ServerResponse } from "node:http2";
import { writeEnvelope } from "../../worker/core/protocol/envelope.ts";
import { type Endpoint, type Fault, healthPath, message, workMs } from "./layout.ts";
import type { Origin, openOrigin } from "./origin.ts";

const head = { "content-type": "application/grpc+proto" };
const serving = Uint8Array.of(0x08, 0x01);

/** The same endpoint in gRPC over HTTP/2 without TLS, for a proxy that translates to it. It knows one fault: a status in the trailers, with no message before. */
export const openGrpcOrigin: typeof openOrigin = async ({ name, rttMs }: Endpoint, port, onCall): Promise<Origin> => {
  let failing = false;
  let probes = 0;

  function handle(request: Http2ServerRequest, response: Http2ServerResponse): void {
    const probe = request.url === healthPath;
    if (probe) probes++;
    else onCall(request.headers);
    request.resume().once("end", () => setTimeout(() => reply(response, probe ? serving : message(name)), rttMs + workMs));
  }

  function reply(response: Http2ServerResponse, data: Uint8Array): void {
    if (failing) return void response.stream.respond({ ":status": 200, ...head, "grpc-status": "14", "grpc-message": `${name} is failing` }, { endStream: true });
    response.writeHead(200, head);
    response.addTrailers({ "grpc-status": "0" });
    response.end(writeEnvelope(0, data));
  }

  const server = createServer(handle);
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen({ port, host: "127.0.0.1", backlog: 4096 }, resolve);
  });
  return {
    port,
    probes: () => probes,
    async set(fault: Fault | null) {
      if (fault !== null && fault !== "trailers-only") throw new Error(`Cannot set the fault as a gRPC origin knows trailers-only alone: current value is ${fault}`);
      failing = fault !== null;
    },
  };
};
