import { mkdtempSync, rmSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { compileFile } from "../cli/build.ts";
import { formatIssues } from "../cli/config/issue.ts";
import { serveInChild } from "../cli/serve/child.ts";
import { packagePath } from "../cli/serve/root.ts";
import { type Served, serve } from "../cli/serve/serve.ts";

/** The cheapest Worker there is that forwards a call: what everything else is measured by. */
export function cheapest(origin: string): string {
  return `export default {fetch(request){const u=request.url;return fetch(${JSON.stringify(origin)}+u.slice(u.indexOf("/",8)),request)}}`;
}

/** A Worker that answers without asking anybody. */
export const empty = `export default {fetch(){return new Response("")}}`;

/** Serves one module on workerd, without anything around it. */
export async function serveScript(script: string): Promise<Served> {
  const directory = mkdtempSync(join(tmpdir(), "fairlead-bench-"));
  const file = join(directory, "config.capnp");
  await writeFile(join(directory, "worker.js"), script);
  await writeFile(file, capnp);
  return serveInChild(
    {
      name: "workerd",
      command: (createRequire(import.meta.url)("workerd") as { default: string }).default,
      args: (port) => ["serve", file, "--control-fd=3", `--socket-addr=http=127.0.0.1:${port}`],
      told: { fd: 3, as: /"event":\s*"listen".*?"port":\s*(\d+)/ },
      write: async () => {},
      cleanUp: () => rmSync(directory, { recursive: true, force: true }),
    },
    0,
  );
}

const capnp = `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [
    (name = "main", worker = (modules = [(name = "worker.js", esModule = embed "worker.js")], compatibilityDate = "2026-11-17", globalOutbound = "network")),
    (name = "network", network = (allow = ["public", "private"])),
  ],
  sockets = [(name = "http", address = "127.0.0.1:0", http = (), service = "main")],
);
`;

/** Anybody may call. */
export const openToAll = "{ rules: [{ match: { prefix: / }, allow: PUBLIC }] }";

export interface Shape {
  readonly dialect: "CONNECT" | "GRPC_WEB";
  readonly codecs: "PROTO" | "PROTO, JSON";
  readonly streams: "BLIND" | "WATCHED";
  /** What stands under `auth`. */
  readonly auth?: string;
}

/** Serves the proxy on workerd, with one route to the origin; or what stands in the file `worker` in the proxy's place. */
export async function serveProxy(origin: string, { dialect, codecs, streams, auth = openToAll }: Shape, worker?: string): Promise<Served> {
  const folder = await mkdtemp(join(tmpdir(), "fairlead-bench-"));
  try {
    const file = join(folder, "fairlead.yaml");
    await writeFile(
      file,
      `descriptors: [${JSON.stringify(relative(folder, packagePath("gen/demo.binpb")))}]
clusters: { library: { dialect: ${dialect}, codecs: [${codecs}], localities: [{ region: local, endpoints: [{ url: "${origin}" }] }] } }
routes: [{ match: { service: fairlead.demo.v1.LibraryService }, cluster: library, streams: ${streams} }]
auth: ${auth}
cors: { allowed_origins: ["*"] }
`,
    );
    const { artifact, issues } = await compileFile(file);
    if (artifact === undefined) throw new Error(formatIssues(issues));
    return await serve({ artifact, runtime: "workerd", port: 0, ...(worker !== undefined && { worker }) });
  } finally {
    await rm(folder, { recursive: true });
  }
}
