import { generateKeyPairSync, type KeyObject, sign } from "node:crypto";
import type { Served } from "../cli/serve/serve.ts";
import { measured, served } from "./cases.ts";
import { post } from "./load.ts";
import { getBook, request } from "./messages.ts";
import type { Options } from "./options.ts";
import { type Measured, measureRounds } from "./rounds.ts";
import { openToAll, serveProxy } from "./workers.ts";

/** More than an isolate remembers: when one comes again it has been forgotten. */
const distinct = 6000;

/** Unary calls with a token in RS256 (2,048 bits): not looked at, verified each time, verified before; and calls without one. CPU in microseconds a call. */
export async function measureAuth(origin: string, { rounds, seconds }: Options): Promise<Measured[]> {
  const { publicKey, privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  const jwks = JSON.stringify({ keys: [{ ...publicKey.export({ format: "jwk" }), kid: "bench", alg: "RS256", use: "sig" }] });
  const auth = `{ providers: { main: { issuer: "https://id.example", audiences: [api], algorithms: [RS256], jwks: '${jwks}' } }, rules: [{ match: { prefix: / }, require: { provider: main, scopes: [read] } }] }`;
  const calls = Array.from({ length: distinct }, (_, i) => post(getBook, "application/proto", request.proto, `authorization: Bearer ${token(privateKey, i)}\r\n`));
  let made = 0;
  const nextCall = () => calls[made++ % distinct]!;
  const shape = { dialect: "CONNECT", codecs: "PROTO, JSON", streams: "WATCHED" } as const;
  const [open, guarded] = [openToAll, auth].map((auth) => () => serveProxy(origin, { ...shape, auth })) as [() => Promise<Served>, () => Promise<Served>];
  const cases = await served([
    ["open", nextCall, open()],
    ["token verified", nextCall, guarded()],
    ["token verified before", calls[0]!, guarded()],
    ["open, no token", post(getBook, "application/proto", request.proto), open()],
  ]);
  return measured(cases, () => measureRounds(cases, { rounds, seconds, connections: 16, work: ({ calls }) => calls }));
}

function token(key: KeyObject, number: number): string {
  const now = Math.floor(Date.now() / 1000);
  const claims = { iss: "https://id.example", aud: "api", sub: `user-${number}`, iat: now, exp: now + 3600, scope: "openid profile read", jti: crypto.randomUUID() };
  const input = [{ alg: "RS256", kid: "bench", typ: "JWT" }, claims].map((one) => Buffer.from(JSON.stringify(one)).toString("base64url")).join(".");
  return `${input}.${sign("sha256", Buffer.from(input), key).toString("base64url")}`;
}
