import { build } from "esbuild";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { packagePath } from "../../cli/serve/root.ts";

export interface Site {
  /** The web origin of its one page, `http://127.0.0.1:PORT`. */
  readonly origin: string;
  stop(): Promise<void>;
}

/** The page's script: what page.ts exports is the global `page`. */
export async function bundlePage(): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [packagePath("test/browser/page.ts")],
    bundle: true,
    format: "iife",
    globalName: "page",
    platform: "browser",
    write: false,
    logLevel: "silent",
  });
  return outputFiles[0]?.text ?? "";
}

/** Serves a page that has the script, and sets the cookie `visitor=7`: cookies are the same on every port of a host. */
export async function startSite(script: string): Promise<Site> {
  const server = createServer(({ url }, response) => {
    if (url === "/page.js") return void response.writeHead(200, { "content-type": "text/javascript; charset=utf-8" }).end(script);
    if (url !== "/") return void response.writeHead(404).end();
    response.writeHead(200, { "content-type": "text/html; charset=utf-8", "set-cookie": "visitor=7" });
    response.end('<!doctype html><title>Fairlead</title><script src="/page.js"></script>');
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async stop() {
      server.close();
      server.closeAllConnections();
      await once(server, "close");
    },
  };
}
