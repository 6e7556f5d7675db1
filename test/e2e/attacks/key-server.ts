import { once } from "node:events";
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { keys } from "./parties.ts";

/** Where identity providers have their keys, good ones and bad ones. */
export interface KeyServer {
  readonly url: string;
  /** How often each path was asked for. */
  readonly asked: ReadonlyMap<string, number>;
  /** Says what a path answers from now on. */
  set(path: string, keys: readonly object[]): void;
  stop(): Promise<void>;
}

const { main, weak } = keys;
const good = main.jwk;
const bare = { kty: good.kty, n: good.n, e: good.e, kid: good.kid };

/** Key sets in which no key must count for a token of the main key (or of the weak one), whatever else is in them. */
export const badSets: Readonly<Record<string, readonly object[] | ((response: ServerResponse, url: string) => void)>> = {
  private: [{ ...main.privateJwk, use: "sig" }],
  "one-private-member": [{ ...good, d: "AQ" }],
  oct: [{ kty: "oct", k: Buffer.from(main.pem).toString("base64url"), kid: "k1", alg: "HS256" }],
  "rsa-with-k": [{ ...good, k: "AQ" }],
  twice: [good, { ...bare, n: keys.stranger.jwk.n, alg: "RS256" }],
  weak: [weak.jwk],
  "exponent-1": [{ ...good, e: "AQ" }],
  "even-exponent": [{ ...good, e: "Ag" }],
  enc: [{ ...good, use: "enc" }],
  "use-unknown": [{ ...good, use: "signature" }],
  "no-verify": [{ ...bare, alg: "RS256", key_ops: ["sign"] }],
  "ops-text": [{ ...bare, alg: "RS256", key_ops: "verify" }],
  "own-alg": [{ ...bare, alg: "PS256" }],
  "encryption-alg": [{ ...bare, alg: "RSA-OAEP-256" }],
  "alg-number": [{ ...bare, alg: 256 }],
  "kid-number": [{ ...bare, kid: 1 }],
  "wrong-kty": [{ ...good, kty: "EC" }],
  "kty-in-lower-case": [{ ...good, kty: "rsa" }],
  "padded-modulus": [{ ...good, n: `${good.n}==` }],
  "x5c-only": [{ kty: "RSA", kid: "k1", alg: "RS256", x5c: ["AQ=="] }],
  none: [],
  large: [good, { kty: "EC", filler: "x".repeat(70_000) }],
  redirect: (response) => response.writeHead(302, { location: "/good" }).end(),
  "redirect-308": (response, url) => response.writeHead(308, { location: `${url}/good` }).end(),
  slow: () => {},
  "slow-body": (response) => void response.writeHead(200, { "content-type": "application/json" }).write('{"keys":['),
  "500": (response) => response.writeHead(500, { "content-type": "application/json" }).end(JSON.stringify({ keys: [good] })),
  "404": (response) => response.writeHead(404).end(JSON.stringify({ keys: [good] })),
  "206": (response) => response.writeHead(206).end(JSON.stringify({ keys: [good] })),
  html: (response) => response.writeHead(200, { "content-type": "text/html" }).end("<!doctype html><title>Sign in</title>"),
  empty: (response) => response.writeHead(200).end(),
  list: (response) => response.writeHead(200).end(JSON.stringify([good])),
  "keys-object": (response) => response.writeHead(200).end(JSON.stringify({ keys: { 0: good } })),
  "no-keys": (response) => response.writeHead(200).end(JSON.stringify({ ...good })),
  "twice-keys": (response) => response.writeHead(200).end(`{"keys":[],"keys":[${JSON.stringify(good)}]}`),
  proto: (response) => response.writeHead(200).end(`{"__proto__":{"keys":[${JSON.stringify(good)}]}}`),
  cut: (response) => response.writeHead(200, { "content-length": 10_000 }).write(JSON.stringify({ keys: [good] }), () => response.socket?.destroy()),
  latin1: (response) => response.writeHead(200).end(Buffer.concat([Buffer.from(`{"keys":[${JSON.stringify(good)}],"x":"`), Buffer.from([0xff]), Buffer.from('"}')])),
};

export async function startKeyServer(): Promise<KeyServer> {
  const asked = new Map<string, number>();
  const sets = new Map<string, readonly object[]>([["/main", [good, { kty: "odd" }, { kty: "oct", k: "AA", kid: "k1" }]], ["/good", [good]], ["/rotating", [keys.second.jwk]]]);
  const server = createServer((request, response) => {
    response.on("error", () => {});
    const path = request.url ?? "";
    asked.set(path, (asked.get(path) ?? 0) + 1);
    const set = sets.get(path) ?? badSets[path.slice("/bad/".length)] ?? [];
    if (typeof set === "function") set(response, `http://${request.headers.host}`);
    else response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify({ keys: set }));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked,
    set: (path, set) => void sets.set(path, set),
    async stop() {
      server.close();
      server.closeAllConnections();
      await once(server, "close");
    },
  };
}
