import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:https";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { connect, type TLSSocket } from "node:tls";
import { afterAll, afterEach, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { authority } from "./certificates.ts";
import { call } from "./client.ts";
import { type Proxy, startProxy } from "./harness.ts";
import { request, understand } from "./wire.ts";

const ours = authority("ours");
const theirs = authority("theirs");
const proxyCertificate = ours.issue("fairlead");
const secrets = { ORIGIN_CERTIFICATE: proxyCertificate.certificate, ORIGIN_KEY: proxyCertificate.key, ORIGIN_AUTHORITIES: ours.certificate };
const all = "{ certificate: ORIGIN_CERTIFICATE, key: ORIGIN_KEY, authorities: ORIGIN_AUTHORITIES }";

describe("an origin that takes calls of its authority's certificates alone", () => {
  let origin: Server;
  let url: string;
  let connections = 0;
  const callers: string[] = [];
  const proxies: Proxy[] = [];

  beforeAll(async () => {
    const { certificate, key } = ours.issue("origin");
    origin = createServer({ cert: certificate, key, ca: ours.certificate, requestCert: true, rejectUnauthorized: true }, (request, response) => {
      callers.push(String((request.socket as TLSSocket).getPeerCertificate().subject.CN));
      request.resume().on("end", () => response.writeHead(200, { "content-type": "application/proto" }).end("y"));
    });
    origin.on("secureConnection", () => connections++);
    origin.listen(0, "127.0.0.1");
    await once(origin, "listening");
    url = `https://127.0.0.1:${(origin.address() as AddressInfo).port}`;
  });
  afterEach(async () => {
    await Promise.all(proxies.splice(0).map((proxy) => proxy.stop()));
    callers.length = 0;
  });
  afterAll(() => void origin.close());

  const config = (endpoint: string, dialect = "CONNECT") => `
methods: [{ path: /t.S/Unary, kind: UNARY }]
clusters: { c: { dialect: ${dialect}, localities: [{ region: here, endpoints: [{ url: "${url}"${endpoint} }] }] } }
routes: [{ match: { prefix: / }, cluster: c, retry: { max_attempts: 1 } }]
`;
  async function proxy(endpoint: string, more: Record<string, string> = {}): Promise<Proxy> {
    const started = await startProxy("deno", config(endpoint), { ...secrets, ...more });
    proxies.push(started);
    return started;
  }
  async function codeOf({ port }: Proxy): Promise<string> {
    return understand("connect-unary", await call(port, { path: "/t.S/Unary", ...request("connect-unary", "x") })).code;
  }

  it("refuses a caller without one", async () => {
    const socket = connect({ port: (origin.address() as AddressInfo).port, host: "127.0.0.1", ca: ours.certificate, servername: "localhost" });
    const [error] = (await once(socket, "error")) as [Error & { code: string }];
    expect(error.code).toBe("ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED");
  });

  it("is reached from Deno by an endpoint that names one, on connections that are kept", async () => {
    const good = await proxy(`, client_certificate: ${all}`);
    const before = connections;
    expect([await codeOf(good), await codeOf(good), await codeOf(good)]).toEqual(["ok", "ok", "ok"]);
    expect(callers).toEqual(["fairlead", "fairlead", "fairlead"]);
    expect(connections - before).toBe(1);
  });

  it("is not reached by an endpoint that names none, and the log says why", async () => {
    const known = join(mkdtempSync(join(tmpdir(), "fairlead-e2e-")), "authorities.pem");
    onTestFinished(() => rmSync(dirname(known), { recursive: true }));
    writeFileSync(known, ours.certificate);
    const bare = await proxy("", { DENO_CERT: known });
    expect(await codeOf(bare)).toBe("unavailable");
    expect(bare.log()).toMatch(/"event":"upstream-failed".*received fatal alert: CertificateRequired/);
  });

  it("is not reached by another authority's certificate, and the log says why", async () => {
    const { certificate, key } = theirs.issue("fairlead");
    const strange = await proxy(`, client_certificate: ${all}`, { ORIGIN_CERTIFICATE: certificate, ORIGIN_KEY: key });
    expect(await codeOf(strange)).toBe("unavailable");
    expect(strange.log()).toMatch(/"event":"upstream-failed".*(?:alert|reset|closed)/i);
    expect(callers).toEqual([]);
  });

  it("is not reached where its own certificate is of an authority that nobody named", async () => {
    const trusting = await proxy(", client_certificate: { certificate: ORIGIN_CERTIFICATE, key: ORIGIN_KEY }");
    expect(await codeOf(trusting)).toBe("unavailable");
    expect(trusting.log()).toContain("invalid peer certificate: UnknownIssuer");
  });

  it.each([
    ["is not set", { ORIGIN_KEY: "" }, "the secret ORIGIN_KEY is not set"],
    ["is no certificate", { ORIGIN_CERTIFICATE: "-----BEGIN NOTHING-----" }, "Unable to decode certificate"],
    ["is the key of another one", { ORIGIN_KEY: theirs.issue("x").key }, "KeyMismatch"],
  ])("is not reached as nobody where a secret %s, which the log says at once", async (_what, instead, why) => {
    const lacking = await proxy(`, client_certificate: ${all}`, instead);
    expect(lacking.log()).toMatch(/"event":"client-certificate-unusable","certificate":"ORIGIN_CERTIFICATE"/);
    expect(lacking.log()).toContain(why);
    expect(await codeOf(lacking)).toBe("unavailable");
    expect(lacking.log()).toMatch(/"event":"upstream-failed".*the client certificate ORIGIN_CERTIFICATE cannot be used/);
    expect(lacking.log()).not.toContain("PRIVATE KEY");
    expect(callers).toEqual([]);
  });

  it("cannot be reached so from workerd, which does not start", async () => {
    await expect(startProxy("workerd", config(`, client_certificate: ${all}`), secrets)).rejects.toThrow(`Cannot start with this config as client_certificate must be for endpoints on Deno alone, and those here go through a binding of mtls_certificates: current value is that of ${url}`);
  });
});
