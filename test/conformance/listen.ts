import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import type { Running } from "./origin.ts";

const host = "127.0.0.1";

/** Lets a server listen on a free port of the loopback address. Its `stop` cuts what is still open. */
export async function listen(server: Server, stopped: () => void): Promise<Running> {
  await new Promise<void>((resolve) => server.listen(0, host, resolve));
  const { port } = server.address() as AddressInfo;
  return {
    host,
    port,
    stop: async () => {
      server.close();
      server.closeAllConnections();
      stopped();
    },
  };
}
