import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parse } from "smol-toml";
import { decodeArtifact } from "../../worker/core/config/artifact.ts";
import type { CompiledConfig } from "../../worker/core/config/compiled.ts";
import { regionsOf, sweepInterval } from "../../worker/core/health/targets.ts";
import { haveConditions } from "../../worker/core/auth/policy.ts";
import { bundle } from "./bundle.ts";
import { serveCache } from "./cache.ts";
import { serveInChild } from "./child.ts";
import { serveKv } from "./kv.ts";
import { packagePath } from "./root.ts";
import type { Served, ServeOptions } from "./serve.ts";
import { ticker, tickerModule } from "./ticker.ts";
import { turnsModule, workerdConfig } from "./workerd-config.ts";

const minute = 60_000;

/** Serves with plain workerd, as it would run on one's own machines: no wrangler, no emulation of Cloudflare. */
export async function serveOnWorkerd({ artifact, port, bindings = {}, secrets = {}, cache, cfHeader, sweeper, isolates = 1, worker = packagePath("worker/runtime/cloudflare/worker.ts") }: Omit<ServeOptions, "runtime">): Promise<Served> {
  const { date, flags, bindsSweeper } = wrangler();
  const sweeps = sweeper ?? bindsSweeper;
  const directory = mkdtempSync(join(tmpdir(), "fairlead-"));
  const sockets = { kv: join(directory, "kv.sock"), tick: join(directory, "tick.sock"), cache: cache ?? join(directory, "cache.sock") };
  // What an object stored outlives a reload, as it does a deployment.
  const objectsAt = join(directory, "objects");
  mkdirSync(objectsAt);
  const kv = serveKv(sockets.kv);
  const ownCache = cache === undefined ? serveCache(sockets.cache) : undefined;
  const ticking = ticker(sockets.tick);
  let interval: number | undefined;
  let conditions: boolean | undefined;
  const write = async (bytes: Uint8Array<ArrayBuffer>) => {
    ticking.every(undefined);
    // workerd does not take the place of a socket that an earlier one left.
    rmSync(sockets.tick, { force: true });
    const { config } = await decodeArtifact(bytes);
    interval = sweepInterval(config.clusters);
    const prober = regionsOf(config.clusters.map(({ healthCheck }) => healthCheck)).length > 0;
    if (conditions !== haveConditions(config.auth.policies)) {
      conditions = haveConditions(config.auth.policies);
      await writeFile(join(directory, "worker.js"), await bundle(worker, conditions));
    }
    await writeFile(join(directory, "fairlead.compiled"), bytes);
    await writeFile(join(directory, "config.capnp"), workerdConfig({ date, flags, bindings: { ...bindingUrls(config), ...bindings }, secrets: typeof secrets === "function" ? secrets(config) : secrets, sockets, objectsAt, sweeper: sweeps, prober, tally: wantsTally(config), isolates, cfHeader }));
  };
  const cleanUp = () => {
    ticking.every(undefined);
    kv.close();
    ownCache?.close();
    rmSync(directory, { recursive: true, force: true });
  };
  try {
    await Promise.all([write(artifact), writeFile(join(directory, "ticker.js"), tickerModule), writeFile(join(directory, "turns.js"), turnsModule)]);
    const args = (at: number) => ["serve", "--experimental", join(directory, "config.capnp"), "--control-fd=3", `--socket-addr=http=127.0.0.1:${at}`];
    const told = { fd: 3, as: /"event":\s*"listen",\s*"socket":\s*"http".*?"port":\s*(\d+)/ } as const;
    // An object sweeps by itself, once the cron of a minute has waked it.
    const up = () => ticking.every(sweeps && interval !== undefined ? minute : interval);
    return await serveInChild({ name: "workerd", command: workerdPath(), args, told, write, up, store: kv.store, cleanUp }, port);
  } catch (error) {
    cleanUp();
    throw error;
  }
}

/** The runtime itself, not the script that starts it: its process id is the one to stop, and to measure. */
function workerdPath(): string {
  return (createRequire(import.meta.url)("workerd") as { default: string }).default;
}

/** Where each binding leads to on this machine: the host of the first endpoint that names it. */
function bindingUrls({ clusters }: CompiledConfig): Record<string, string> {
  const endpoints = clusters.flatMap(({ localities }) => localities.flatMap((locality) => locality.endpoints));
  const urls: Record<string, string> = {};
  for (const { binding, url } of endpoints) if (binding !== null) urls[binding] ??= url;
  return urls;
}

/** Whether something is counted for all isolates. */
function wantsTally({ clusters, auth }: CompiledConfig): boolean {
  return clusters.some(({ circuitBreaker }) => circuitBreaker?.shared === true) || auth.rateLimits.some(({ shared }) => shared);
}

/** What of wrangler.toml holds on this machine, too. */
function wrangler(): { date: string; flags: readonly string[]; bindsSweeper: boolean } {
  const path = packagePath("wrangler.toml");
  const top = existsSync(path) ? parse(readFileSync(path, "utf8")) : {};
  const { compatibility_date: date, compatibility_flags: flags, durable_objects: objects } = top as { compatibility_date?: string; compatibility_flags?: string[]; durable_objects?: { bindings?: { name?: string }[] } };
  return { date: date ?? "2026-11-17", flags: flags ?? [], bindsSweeper: objects?.bindings?.some(({ name }) => name === "FAIRLEAD_SWEEPER") ?? false };
}
