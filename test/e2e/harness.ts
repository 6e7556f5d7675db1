import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect } from "vitest";
import { compileFile } from "../../cli/build.ts";
import { formatIssues } from "../../cli/config/issue.ts";
import { packagePath } from "../../cli/serve/root.ts";
import type { Runtime, ServeOptions } from "../../cli/serve/serve.ts";
import type { Store } from "../../worker/proxy/ports.ts";
import { openToAll } from "../open-to-all.ts";
import { type RawOrigin, startRawOrigin } from "./origin.ts";

export const runtimes = ["workerd", "deno"] as const;

/** The proxy, in a process of its own. */
export interface Proxy {
  readonly url: string;
  readonly port: number;
  /** The runtime's process. */
  readonly pid: number;
  /** Its KV. */
  readonly store: Store;
  /** Takes another config's text. */
  reload(yaml: string): Promise<void>;
  /** What it has written to stderr so far. */
  log(): string;
  stop(): Promise<void>;
}

/** Compiles a config's text, beside which stands the demo's `demo.binpb`. Where it has no `auth`, everybody may call. @throws Error, with every issue, if it is bad. */
export async function compileText(yaml: string): Promise<Uint8Array<ArrayBuffer>> {
  const directory = mkdtempSync(join(tmpdir(), "fairlead-e2e-"));
  try {
    const file = join(directory, "fairlead.yaml");
    writeFileSync(file, openToAll(yaml));
    copyFileSync(packagePath("gen/demo.binpb"), join(directory, "demo.binpb"));
    const { artifact, issues } = await compileFile(file);
    if (artifact === undefined) throw new Error(formatIssues(issues));
    return artifact;
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

/** Serves a config's text on a runtime. */
export async function startProxy(runtime: Runtime, yaml: string, secrets: Readonly<Record<string, string>> = {}, more: Pick<ServeOptions, "cache" | "sweeper" | "isolates" | "kv" | "cfHeader" | "worker"> = {}): Promise<Proxy> {
  const directory = mkdtempSync(join(tmpdir(), "fairlead-e2e-"));
  const path = join(directory, "artifact");
  writeFileSync(path, await compileText(yaml));
  const child = spawn(process.execPath, [packagePath("test/e2e/served.ts"), runtime, path, JSON.stringify({ secrets, ...more })], { stdio: ["ignore", "pipe", "pipe", "ipc"], serialization: "advanced" });
  let log = "";
  child.stderr!.on("data", (chunk: Buffer) => (log += String(chunk)));
  const told = await Promise.race([once(child.stdout!, "data"), once(child, "exit")]);
  rmSync(directory, { recursive: true, force: true });
  if (child.exitCode !== null) throw new Error(`the proxy did not start: ${log}`);
  const { url, pid } = JSON.parse(String(told[0])) as { url: string; pid: number };
  return {
    url,
    pid,
    port: Number(new URL(url).port),
    ...asking(child),
    log: () => log,
    async stop() {
      child.kill("SIGTERM");
      if (child.exitCode === null) await once(child, "exit");
    },
  };
}

/** What a proxy that another process serves can be asked for; one thing at a time. */
function asking(child: ChildProcess): Pick<Proxy, "store" | "reload"> {
  let before: Promise<unknown> = Promise.resolve();
  const ask = (verb: "get" | "put" | "reload", key: string, bytes?: Uint8Array): Promise<Uint8Array | null> => {
    const answer = before.then(() => {
      child.send({ verb, key, bytes });
      return once(child, "message");
    });
    before = answer;
    return answer.then(([bytes]) => bytes as Uint8Array | null);
  };
  return {
    store: { get: (key) => ask("get", key), put: async (key, bytes) => void (await ask("put", key, bytes)) },
    reload: async (yaml) => void (await ask("reload", "", await compileText(yaml))),
  };
}

/** A proxy and the raw origin behind it, for all the tests of a suite; the suite fails where the proxy logs a defect. */
export interface Bench {
  readonly proxy: Proxy;
  readonly origin: RawOrigin;
}

export interface ConfigParts {
  /** Fields of each route, beside match and cluster: `timeout: 1s`. */
  readonly route?: string;
  /** Top-level fields. */
  readonly top?: string;
}

/**
 * Serves the service `test.v1.Test` below the base paths `/connect`, `/web` and `/same`, each in front of the same raw
 * origin, as if it spoke Connect, gRPC-Web, or both. It has the methods Unary, Get (without side effects), Server,
 * Client and Bidi; what they are sent and answer is for the tests to say.
 */
export function testConfig(url: string, { route = "", top = "" }: ConfigParts = {}): string {
  const cluster = (dialect: string) => `{ dialect: ${dialect}, localities: [{ region: here, endpoints: [{ url: "${url}" }] }] }`;
  const match = (base: string) => `  - { match: { service: test.v1.Test, base_path: /${base} }, cluster: ${base}${route === "" ? "" : `, ${route}`} }`;
  return `
descriptors: [demo.binpb]
methods:
  - { path: /test.v1.Test/Unary, kind: UNARY }
  - { path: /test.v1.Test/Get, kind: UNARY, idempotency: NO_SIDE_EFFECTS }
  - { path: /test.v1.Test/Server, kind: SERVER_STREAM }
  - { path: /test.v1.Test/Client, kind: CLIENT_STREAM }
  - { path: /test.v1.Test/Bidi, kind: BIDI_STREAM }
clusters:
  connect: ${cluster("CONNECT")}
  web: ${cluster("GRPC_WEB")}
  same: ${cluster("SAME")}
routes:
${["connect", "web", "same"].map(match).join("\n")}
${top}
`;
}

/** Starts a raw origin and a proxy before the tests of a suite, and stops them after. */
export function bench(runtime: Runtime, parts: ConfigParts = {}): Bench {
  let proxy: Proxy | undefined;
  let origin: RawOrigin | undefined;
  beforeAll(async () => {
    origin = await startRawOrigin();
    proxy = await startProxy(runtime, testConfig(origin.url, parts));
  });
  afterAll(async () => {
    await proxy?.stop();
    await origin?.stop();
    expect(defects(proxy?.log() ?? "")).toEqual([]);
  });
  return {
    get proxy() {
      return proxy!;
    },
    get origin() {
      return origin!;
    },
  };
}

/** The defects that a log tells of, each once. */
export function defects(log: string): string[] {
  const lines = log.split("\n").filter((line) => line.includes('"event":"defect"'));
  return [...new Set(lines.map((line) => /"method":.*?"error":"(?:[^"\\]|\\.)*"/.exec(line)?.[0] ?? line))];
}

export function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** `work`, or a rejection after `ms` milliseconds. */
export function within<T>(ms: number, work: Promise<T>, what = "this"): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`${what} took longer than ${ms} ms`)), ms);
  });
  return Promise.race([work, late]).finally(() => clearTimeout(timer));
}
