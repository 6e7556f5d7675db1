import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { packagePath } from "../../cli/serve/root.ts";
import { folder } from "./temporary.ts";

/** An origin that answers every unary Connect call with `{}`. */
async function origin(): Promise<string> {
  const server = createServer((_request, response) => response.writeHead(200, { "content-type": "application/json" }).end("{}"));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => void server.close());
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

function config(url: string, version: string, binding = ""): string {
  return `
clusters: { a: { dialect: CONNECT, localities: [{ region: a, endpoints: [{ url: "${url}", binding: "${binding}" }] }] } }
routes: [{ match: { service: a.B }, cluster: a, response_headers: { set: { x-version: "${version}" } } }]
methods: [{ path: /a.B/C, kind: UNARY }]
auth: { rules: [{ match: { service: a.B }, allow: PUBLIC }] }
`;
}

async function dev(directory: string, ...args: string[]) {
  const child = spawn(process.execPath, [packagePath("cli/fairlead.js"), "dev", "--port", "0", ...args], { cwd: directory, env: { ...process.env, SECRET_OF_TEST: "it is me" } });
  onTestFinished(async () => {
    child.kill();
    await ended(child);
  });
  const output = { stdout: "", stderr: "" };
  child.stdout.on("data", (chunk: Buffer) => (output.stdout += String(chunk)));
  child.stderr.on("data", (chunk: Buffer) => (output.stderr += String(chunk)));
  await until(() => output.stdout.includes("\n") || child.exitCode !== null);
  return { child, output, url: output.stdout.slice("listening on ".length).trim() };
}

async function until(holds: () => unknown): Promise<void> {
  while (!(await holds())) await new Promise((resolve) => setTimeout(resolve, 25));
}

async function ended(child: ChildProcess): Promise<number | null> {
  if (child.exitCode === null && child.signalCode === null) await once(child, "exit");
  return child.exitCode;
}

async function call(url: string): Promise<string | null> {
  const response = await fetch(`${url}/a.B/C`, { method: "POST", headers: { "content-type": "application/json" }, body: "{}" });
  return response.status === 200 ? response.headers.get("x-version") : `HTTP ${response.status}`;
}

describe.each(["workerd", "deno"])("`dev` on %s", (runtime) => {
  it("accepts calls once it says so, takes good changes, keeps the last good config on bad ones, and ends when told", async () => {
    const to = await origin();
    const directory = folder({ "fairlead.yaml": config(to, "one") });
    const { child, output, url } = await dev(directory, "--runtime", runtime);
    expect(output.stdout).toMatch(/^listening on http:\/\/127\.0\.0\.1:\d+\n$/);
    expect(await call(url)).toBe("one");

    writeFileSync(join(directory, "fairlead.yaml"), config(to, "two").replace("cluster: a,", "cluster: b,"));
    await until(() => output.stderr.includes("not taken"));
    expect(output.stderr).toContain('fairlead.yaml:3:46 routes[0].cluster: unknown cluster "b"');
    expect(await call(url)).toBe("one");

    writeFileSync(join(directory, "fairlead.yaml"), config(to, "three"));
    await until(() => output.stderr.includes("reloaded"));
    expect(await call(url)).toBe("three");

    writeFileSync(join(directory, "fairlead.yaml"), `${config(to, "four")}explain: { secret: SECRET_OF_TEST }\n`);
    await until(() => output.stderr.split("reloaded").length === 3);
    const explained = await fetch(`${url}/a.B/C`, { method: "POST", headers: { "content-type": "application/json", "fairlead-explain": "it is me" }, body: "{}" });
    expect(explained.headers.get("fairlead-explanation")).toContain("service a.B");
    writeFileSync(join(directory, "fairlead.yaml"), `${config(to, "five")}explain: { secret: NO_SUCH_SECRET }\n`);
    await until(() => output.stderr.split("reloaded").length === 4);
    expect(output.stderr).toContain("warning: the config names the secret NO_SUCH_SECRET, and there is no environment variable of that name");

    child.kill("SIGTERM");
    expect(await ended(child)).toBe(0);
    await expect(fetch(url)).rejects.toThrow();
  });
});

it("a binding leads to the endpoint's own host on this machine", async () => {
  const wrangler = '[[services]]\nbinding = "ORIGIN"\nservice = "origin"';
  const { url } = await dev(folder({ "fairlead.yaml": config(await origin(), "bound", "ORIGIN"), "wrangler.toml": wrangler }));
  expect(await call(url)).toBe("bound");
});

it("`dev` on a bad config exits 1 with its issues, and serves nothing", async () => {
  const { child, output } = await dev(folder({ "fairlead.yaml": "routes: 1\nauth: {}" }));
  expect(await ended(child)).toBe(1);
  expect(output).toEqual({ stdout: "", stderr: "fairlead.yaml:1:9 routes: must be a list: current value is 1\n1 error\n" });
});
