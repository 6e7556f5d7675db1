import type { ConnectRouter } from "@connectrpc/connect";
import { connectNodeAdapter } from "@connectrpc/connect-node";
import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { LibraryService } from "../gen/fairlead/demo/v1/library_pb.js";
import { formFromContentType } from "../worker/core/protocol/dialect.ts";
import { addHealth } from "./health.ts";
import { library } from "./library.ts";

export interface OriginOptions {
  /** The one protocol that the origin speaks; anything else it answers with HTTP 415 or 404. */
  readonly dialect: "connect" | "grpc-web";
  /** What it says of itself in `x-served-by`. Default: `library-connect`, `library-grpc-web`. */
  readonly name?: string;
  /** On 127.0.0.1; 0 takes a free one. */
  readonly port: number;
}

export interface Origin {
  /** `http://127.0.0.1:PORT` */
  readonly url: string;
  /** How many requests have arrived. */
  calls(): number;
  /** Whether it listens. */
  runs(): boolean;
  /** Closes the port and cuts what is still open; nothing if it is stopped already. */
  stop(): Promise<void>;
  /** Listens again on the same port, its books and loans as they were; nothing if it runs already. Rejects if the port was taken. */
  start(): Promise<void>;
}

/**
 * Starts a library of its own, with a health service, on the loopback address, over HTTP/1.1. Every reply, errors too, tells in `x-served-by`
 * which origin it is from, and in `x-came-as` how the call arrived there (`connect-unary proto`).
 * @throws Error (code EADDRINUSE) if the port is taken.
 */
export async function startOrigin({ dialect, port, name = `library-${dialect}` }: OriginOptions): Promise<Origin> {
  let calls = 0;
  const connect = dialect === "connect";
  const handle = connectNodeAdapter({
    routes(router: ConnectRouter) {
      router.service(LibraryService, library());
      addHealth(router, LibraryService.typeName);
    },
    connect,
    grpcWeb: !connect,
    grpc: false,
  });
  const server = createServer((request, response) => {
    calls++;
    response.setHeader("x-served-by", name);
    response.setHeader("x-came-as", cameAs(request));
    handle(request, response);
  });
  const listen = (at: number) =>
    new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen(at, "127.0.0.1", () => {
        server.off("error", reject);
        resolve();
      });
    });
  await listen(port);
  const { port: kept } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${kept}`,
    calls: () => calls,
    runs: () => server.listening,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
    start: async () => (server.listening ? undefined : listen(kept)),
  };
}

/** Dialect and codec of a request, "unknown" where it is no RPC. */
function cameAs({ method, url = "/", headers }: IncomingMessage): string {
  if (method === "GET") return `connect-get ${new URL(url, "http://origin").searchParams.get("encoding")}`;
  const form = formFromContentType(headers["content-type"] ?? "");
  return form === undefined ? "unknown" : `${form.dialect} ${form.codec}`;
}
