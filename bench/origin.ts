import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { pipeline, Readable } from "node:stream";
import { chunk, chunks, reply, streamEnd, webReply } from "./messages.ts";

/** Starts the origin in a process of its own, so that what it costs is nobody else's. */
export async function startOrigin(): Promise<{ readonly url: string; readonly stop: () => void }> {
  const child: ChildProcess = fork(import.meta.filename, ["serve"]);
  const [port] = (await once(child, "message")) as [number];
  return { url: `http://127.0.0.1:${port}`, stop: () => void child.kill() };
}

/** Answers any request, when it is there, with bytes made beforehand, in the dialect that its content type names. */
function serve(): void {
  const server = createServer({ keepAliveTimeout: 60_000 }, (request, response) => {
    const type = request.headers["content-type"] ?? "";
    request.resume().once("end", () => {
      if (type === "application/connect+proto") return stream(response, Number(request.headers["bench-messages"] ?? chunks));
      const body = type.startsWith("application/grpc-web") ? webReply : reply;
      response.writeHead(200, { "content-type": type, "content-length": body.length }).end(body);
    });
  });
  server.listen(0, "127.0.0.1", () => process.send?.((server.address() as AddressInfo).port));
  process.on("disconnect", () => process.exit());
}

function stream(response: ServerResponse, messages: number): void {
  response.writeHead(200, { "content-type": "application/connect+proto" });
  // A caller that leaves in the middle is none of the origin's business.
  pipeline(Readable.from(wholeStream(messages)), response, () => {});
}

function* wholeStream(messages: number): Generator<Uint8Array> {
  for (let sent = 0; sent < messages; sent++) yield chunk;
  yield streamEnd;
}

if (process.argv[2] === "serve" && process.send !== undefined) serve();
