import { spawn } from "node:child_process";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { createServer, type IncomingHttpHeaders } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { createRemoteJWKSet, jwtVerify } from "jose";
import { describe, expect, it, onTestFinished } from "vitest";
import { packagePath } from "../../cli/serve/root.ts";
import type { Explanation } from "../../worker/core/balance/explain.ts";
import { fairleadIn } from "./fairlead.ts";
import { folder } from "./temporary.ts";

/** An origin that answers every unary Connect call with `{}`, and remembers the headers of each. */
async function origin() {
  const heard: IncomingHttpHeaders[] = [];
  const server = createServer(({ headers }, response) => {
    heard.push(headers);
    response.writeHead(200, { "content-type": "application/json" }).end("{}");
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => void server.close());
  return { heard, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
}

function config(url: string, jwks: string): string {
  const cluster = `{ dialect: CONNECT, localities: [{ region: a, endpoints: [{ url: "${url}" }] }] }`;
  return `
clusters: { v1: ${cluster}, v2: ${cluster} }
methods: [{ path: /a.B/C, kind: UNARY }, { path: /a.B/D, kind: UNARY }]
routes: [{ match: { service: a.B }, split: [{ cluster: v1 }, { cluster: v2 }], sticky: { header: x-user-id } }]
explain: { anybody: true }
auth:
  providers: { dev: { issuer: dev, audiences: [api], algorithms: [ES256], jwks: '${jwks}' } }
  rules: [{ match: { method: /a.B/C }, require: { scopes: [c] } }]
  identity: { claim_headers: { x-user-id: sub }, mint: { issuer: edge, secret: MINT_KEY } }
`;
}

async function dev(cwd: string, runtime: string, env: Readonly<Record<string, string>>): Promise<string> {
  const child = spawn(process.execPath, [packagePath("cli/main.ts"), "dev", "--port", "0", "--runtime", runtime], { cwd, env: { ...process.env, ...env } });
  onTestFinished(async () => {
    child.kill();
    if (child.exitCode === null) await once(child, "exit");
  });
  const [told] = (await once(child.stdout, "data")) as [Buffer];
  return String(told).slice("listening on ".length).trim();
}

describe.each(["workerd", "deno"])("as docs/authentication.md says, on %s", (runtime) => {
  it("who shows a token of `fairlead token` may call; the origin is told who, by a token that its proxy's keys verify; nobody else gets through", async () => {
    const { heard, url } = await origin();
    const directory = folder({});
    const fairlead = async (...args: string[]) => (await fairleadIn(directory)(...args)).out.trim();
    writeFileSync(join(directory, "fairlead.yaml"), config(url, await fairlead("token", "--jwks")));
    const proxy = await dev(directory, runtime, { MINT_KEY: await fairlead("token", "--new-key", "ES256") });
    const call = async (method: string, headers: Record<string, string> = {}) => {
      const { status, headers: replied } = await fetch(`${proxy}/a.B/${method}`, { method: "POST", headers: { "content-type": "application/json", "fairlead-explain": "1", ...headers }, body: "{}" });
      return { status, rules: (JSON.parse(replied.get("fairlead-explanation") ?? '{"rules":[]}') as Explanation).rules };
    };

    const token = await fairlead("token", "--subject", "ada", "--scope", "c");
    expect((await call("C")).status).toBe(401);
    expect((await call("C", { authorization: `Bearer ${await fairlead("token")}` })).status).toBe(403);
    expect((await call("C", { authorization: `Bearer ${await fairlead("token", "--scope", "c", "--expires", "-5m")}` })).status).toBe(401);
    expect((await call("D", { authorization: `Bearer ${token}` })).status).toBe(403);
    expect(heard).toEqual([]);

    const { status, rules } = await call("C", { authorization: `Bearer ${token}`, "x-user-id": "root" });
    expect(status).toBe(200);
    expect(rules).toContainEqual({ rule: "policy", says: "by auth.rules[0] ada of dev may call it" });
    expect(rules).toContainEqual({ rule: "sticky", says: expect.stringContaining("header x-user-id decides the cluster") });
    expect(heard.map((headers) => headers["x-user-id"])).toEqual(["ada"]);
    const minted = heard[0]!.authorization!.replace(/^Bearer /, "");
    const { payload } = await jwtVerify(minted, createRemoteJWKSet(new URL(`${proxy}/.well-known/jwks.json`)), { issuer: "edge", algorithms: ["ES256"] });
    expect(payload).toMatchObject({ sub: "ada", provider: "dev", aud: expect.stringMatching(/^v[12]$/) });
  });
});
