import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { packagePath } from "../../cli/serve/root.ts";
import type { CompiledConfig } from "../../worker/core/config/compiled.ts";
import { type Weights, weightsOf } from "../proxy.ts";
import type { SignIn } from "../sign-in.ts";
import { bundleClient } from "./bundle.ts";
import type { Endpoints } from "./endpoints.ts";
import type { Facts, SignedIn } from "./facts.ts";

export interface PageOptions {
  readonly proxyUrl: string;
  /** What the proxy serves: the page draws its localities and split. */
  readonly config: CompiledConfig;
  readonly signIn: SignIn;
  /** Gives the proxy other weights; settles once it serves them. */
  readonly reweigh: (weights: Weights) => Promise<void>;
  /** What the page shows of the origins, and stops and starts. */
  readonly endpoints: Endpoints;
  /** On 127.0.0.1; 0 takes a free one. */
  readonly port: number;
}

export interface PageServer {
  /** `http://127.0.0.1:PORT` */
  readonly url: string;
  stop(): Promise<void>;
}

/**
 * Serves the page: `/`, its style and script, `GET /facts` (what it must know of the proxy), `POST /split` (weights by
 * cluster, applied one after another), `GET /endpoints` (how each is) and `POST /endpoints` (stops or starts an origin),
 * `POST /sign-in` (a token for the page's reader) and `GET /jwks.json` (the key that verifies it).
 * Only the page itself may post: other sites are refused by their Origin.
 */
export async function servePage({ proxyUrl, config, signIn, reweigh, endpoints, port }: PageOptions): Promise<PageServer> {
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
      send(response, 500, "text/plain", `that did not work: ${error instanceof Error ? error.message : String(error)}`);
    });
  });
  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method, url: path = "/" } = request;
    const found = files.get(path);
    if (method === "GET" && found !== undefined) return send(response, 200, found.type, found.body, policy(proxyUrl));
    if (method === "GET" && path === "/facts") return sendJson(response, facts());
    if (method === "GET" && path === "/endpoints") return sendJson(response, await endpoints.facts());
    if (method === "GET" && path === "/jwks.json") return send(response, 200, "application/json", signIn.jwks);
    if (method !== "POST" || !["/split", "/endpoints", "/sign-in"].includes(path)) return send(response, 404, "text/plain", "not found");
    if (!isOwn(request)) return send(response, 403, "text/plain", "only the page itself may change anything");
    if (path === "/sign-in") return sendJson(response, { subject: "ada", token: await signIn.token({ subject: "ada", scope: ["books.lend"] }) } satisfies SignedIn);
    const text = await readBody(request);
    return path === "/split" ? takeSplit(text, response) : takeSwitch(text, response);
  }
  async function takeSplit(text: string, response: ServerResponse): Promise<void> {
    const wanted = readWeights(text, Object.keys(weights));
    if (wanted === undefined) return send(response, 400, "text/plain", `must give a weight from 0 to 100 to each of ${Object.keys(weights).join(", ")}, not 0 to all`);
    await setSplit(wanted);
    sendJson(response, facts());
  }
  async function takeSwitch(text: string, response: ServerResponse): Promise<void> {
    const wanted = endpoints.read(text);
    if (wanted === undefined) return send(response, 400, "text/plain", "must name the cluster and region of an endpoint, and whether it is to run");
    await endpoints.turn(wanted);
    sendJson(response, await endpoints.facts());
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

function sendJson(response: ServerResponse, value: unknown): void {
  send(response, 200, "application/json", JSON.stringify(value));
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
