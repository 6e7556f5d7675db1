import { build } from "esbuild";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parse } from "smol-toml";
import { decodeArtifact } from "../../worker/core/config/artifact.ts";
import { serveInChild } from "./child.ts";
import { packagePath } from "./root.ts";
import type { Served, ServeOptions } from "./serve.ts";

/** Serves with plain workerd, as it would run on one's own machines: no wrangler, no emulation of Cloudflare. */
export async function serveOnWorkerd({ artifact, port, bindings = {}, secrets = {} }: Omit<ServeOptions, "runtime">): Promise<Served> {
  const directory = mkdtempSync(join(tmpdir(), "fairlead-"));
  const write = async (bytes: Uint8Array<ArrayBuffer>) => {
    await writeFile(join(directory, "fairlead.compiled"), bytes);
    await writeFile(join(directory, "config.capnp"), workerdConfig({ ...(await bindingUrls(bytes)), ...bindings }, secrets));
  };
  const cleanUp = () => rmSync(directory, { recursive: true, force: true });
  try {
    await Promise.all([write(artifact), bundle(join(directory, "worker.js"))]);
    const args = (at: number) => ["serve", join(directory, "config.capnp"), "--control-fd=3", `--socket-addr=http=127.0.0.1:${at}`];
    const told = { fd: 3, as: /"event":\s*"listen".*?"port":\s*(\d+)/ } as const;
    return await serveInChild({ name: "workerd", command: workerdPath(), args, told, write, cleanUp }, port);
  } catch (error) {
    cleanUp();
    throw error;
  }
}

/** The runtime itself, not the script that starts it: its process id is the one to stop, and to measure. */
function workerdPath(): string {
  return (createRequire(import.meta.url)("workerd") as { default: string }).default;
}

/** The Worker as one module, as wrangler would bundle it; the compiled config stays a module of its own. */
async function bundle(outfile: string): Promise<void> {
  await build({
    entryPoints: [packagePath("worker/runtime/cloudflare/worker.ts")],
    outfile,
    bundle: true,
    format: "esm",
    target: "es2024",
    conditions: ["workerd", "worker", "browser"],
    mainFields: ["module", "main"],
    logLevel: "warning",
    plugins: [
      {
        name: "compiled-config",
        setup: ({ onResolve }) => {
          onResolve({ filter: /\.compiled$/ }, () => ({ path: "fairlead.compiled", external: true }));
          onResolve({ filter: /^(cloudflare|node):/ }, ({ path }) => ({ path, external: true }));
        },
      },
    ],
  });
}

/** Where each binding leads to on this machine: the host of the first endpoint that names it. */
async function bindingUrls(artifact: Uint8Array<ArrayBuffer>): Promise<Record<string, string>> {
  const { config } = await decodeArtifact(artifact);
  const endpoints = config.clusters.flatMap(({ localities }) => localities.flatMap((locality) => locality.endpoints));
  const urls: Record<string, string> = {};
  for (const { binding, url } of endpoints) if (binding !== null) urls[binding] ??= url;
  return urls;
}

/** https://github.com/cloudflare/workerd/blob/main/src/workerd/server/workerd.capnp */
function workerdConfig(bindings: Readonly<Record<string, string>>, secrets: Readonly<Record<string, string>>): string {
  const names = Object.keys(bindings);
  const { date, flags } = compatibility();
  return `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [
    (name = "main", worker = (
      modules = [
        (name = "worker.js", esModule = embed "worker.js"),
        (name = "fairlead.compiled", data = embed "fairlead.compiled"),
      ],
      compatibilityDate = ${JSON.stringify(date)},
      compatibilityFlags = ${JSON.stringify(flags)},
      bindings = [${[...names.map((name) => `(name = ${JSON.stringify(name)}, service = ${JSON.stringify(`binding:${name}`)})`), ...Object.entries(secrets).map(([name, value]) => `(name = ${JSON.stringify(name)}, text = ${JSON.stringify(value)})`)].join(", ")}],
      globalOutbound = "network",
    )),
    (name = "network", network = (allow = ["public", "private"], tlsOptions = (trustBrowserCas = true))),
    ${names.map((name) => external(name, bindings[name] ?? "")).join("\n    ")}
  ],
  sockets = [(name = "http", address = "127.0.0.1:0", http = (), service = "main")],
);
`;
}

function external(name: string, url: string): string {
  const { protocol, hostname, port } = new URL(url);
  const address = JSON.stringify(`${hostname}:${port || (protocol === "https:" ? 443 : 80)}`);
  const over = protocol === "https:" ? `https = (tlsOptions = (trustBrowserCas = true), certificateHost = ${JSON.stringify(hostname)})` : "http = ()";
  return `(name = ${JSON.stringify(`binding:${name}`)}, external = (address = ${address}, ${over})),`;
}

function compatibility(): { date: string; flags: readonly string[] } {
  const path = packagePath("wrangler.toml");
  const top = existsSync(path) ? parse(readFileSync(path, "utf8")) : {};
  const { compatibility_date: date, compatibility_flags: flags } = top as { compatibility_date?: string; compatibility_flags?: string[] };
  return { date: date ?? "2026-11-17", flags: flags ?? [] };
}
