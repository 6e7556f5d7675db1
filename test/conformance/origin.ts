import { spawn } from "node:child_process";
import { frames, framed, suiteMessages, type Address, type ServerCompatRequest } from "./messages.ts";
import { suite } from "./suite.ts";

export interface Running extends Address {
  stop(): Promise<void>;
}

/** Starts the suite's own server, which speaks every protocol, on a free port of the loopback address. */
export async function startOrigin(request: ServerCompatRequest): Promise<Running> {
  const { serverRequest, serverResponse } = suiteMessages();
  const server = spawn(suite.referenceserver, { stdio: ["pipe", "pipe", "inherit"] });
  const exited = new Promise<void>((resolve) => server.once("exit", () => resolve()));
  process.once("exit", () => server.kill("SIGKILL"));
  server.stdin.end(framed(serverRequest.encode(request)));
  for await (const message of frames(server.stdout)) {
    const { host, port } = serverResponse.decode(message);
    return {
      host,
      port,
      stop: () => {
        // SIGKILL, since it would wait for idle connections and nobody waits for what it would still say.
        server.kill("SIGKILL");
        return exited;
      },
    };
  }
  throw new Error("the reference server ended before it listened");
}
