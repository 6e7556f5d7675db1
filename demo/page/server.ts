import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { packagePath } from "../../cli/serve/root.ts";
import type { CompiledConfig } from "../../worker/core/config/compiled.ts";
import { type Weights, weightsOf } from "../proxy.ts";
import { bundleClient } from "./bundle.ts";
import type { Facts } from "./facts.ts";

export interface PageOptions {
  readonly proxyUrl: string;
  /** What the proxy serves: the page draws its localities and split. */
  readonly config: CompiledConfig;
  /** Gives the proxy other weights; settles once it serves them. */
  readonly reweigh: (weights: Weights) => Promise<void>;
  /** On 127.0.0.1; 0 takes a free one. */
  readonly port: number;
}

export interface PageServer {
  /** `http://127.0.0.1:PORT` */
  readonly url: string;
  stop(): Promise<void>;
}

/**
 * Serves the page: `/`, its style and script, `GET /facts` (what it must know of the proxy) and `POST /split` (weights by
 * cluster, applied one after another). Only the page itself may post: other sites are refused by their Origin.
 */
export async function servePage({ proxyUrl, config, reweigh, port }: PageOptions): Promise<PageServer> {
  const script = await bundleClient();
  const file = (name: string) => readFileSync(packagePath(`demo/page/${name}`), "utf8");
  const files = new Map([
    ["/", { type: "text/html", body: file("index.html") }],
    ["/style.css", { type: "text/css", body: file("style.css") }],
    ["/page.js", { type: "text/javascript", body: script }],
  ]);
  let weights = weightsOf(config);
  let applying = Promise.resolve();

  const facts = (): Facts => ({
    proxy: proxyUrl,
    weights,
    localities: (config.clusters[0]?.localities ?? []).flatMap(({ region, at }) => (at === null ? [] : [{ region, at }])),
  });
  const setSplit = (wanted: Weights): Promise<void> => {
    const applied = applying.then(async () => {
      await reweigh(wanted);
      weights = wanted;
    });
    applying = applied.catch(() => {});
    return applied;
  };

  const server = createServer((request, response) => {
    void answer(request, response).catch((error: unknown) => {
      console.error(error);
      send(response, 500, "text/plain", "the proxy did not take the split");
    });
  });
  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = request.url ?? "/";
    const found = files.get(path);
    if (request.method === "GET" && found !== undefined) return send(response, 200, found.type, found.body, policy(proxyUrl));
    if (request.method === "GET" && path === "/facts") return send(response, 200, "application/json", JSON.stringify(facts()));
    if (request.method !== "POST" || path !== "/split") return send(response, 404, "text/plain", "not found");
    if (!isOwn(request)) return send(response, 403, "text/plain", "only the page itself may change the split");
    const wanted = readWeights(await readBody(request), Object.keys(weights));
    if (wanted === undefined) return send(response, 400, "text/plain", `must give a weight from 0 to 100 to each of ${Object.keys(weights).join(", ")}, not 0 to all`);
    await setSplit(wanted);
    send(response, 200, "application/json", JSON.stringify(facts()));
  }

  server.listen(port, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    stop: async () => {
      server.close();
      server.closeAllConnections();
      await applying;
    },
  };
}

/** Nothing but the page's own files, and calls to the proxy. */
function policy(proxyUrl: string): string {
  return `default-src 'none'; script-src 'self'; style-src 'self'; img-src data:; connect-src 'self' ${proxyUrl}; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`;
}

function send(response: ServerResponse, status: number, type: string, body: string, csp = "default-src 'none'"): void {
  response.writeHead(status, {
    "content-type": `${type}; charset=utf-8`,
    "content-security-policy": csp,
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cache-control": "no-store",
  });
  response.end(body);
}

/** Whether the page of this very server asks, under a name that no other site can have. */
function isOwn({ headers: { host = "", origin } }: IncomingMessage): boolean {
  return /^(127\.0\.0\.1|localhost):\d+$/.test(host) && origin === `http://${host}`;
}

const mostBytes = 1024;

async function readBody(request: IncomingMessage): Promise<string> {
  let text = "";
  for await (const chunk of request) {
    text += String(chunk);
    if (text.length > mostBytes) return "";
  }
  return text;
}

function readWeights(text: string, names: readonly string[]): Weights | undefined {
  try {
    const given = JSON.parse(text) as Readonly<Record<string, unknown>>;
    const weights = names.map((name) => [name, given[name]] as const);
    const good = weights.every(([, weight]) => Number.isInteger(weight) && Number(weight) >= 0 && Number(weight) <= 100);
    return good && weights.some(([, weight]) => weight !== 0) ? (Object.fromEntries(weights) as Weights) : undefined;
  } catch {
    return undefined;
  }
}
