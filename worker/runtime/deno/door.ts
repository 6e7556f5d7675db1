import { createProxy, decodeArtifact, type Layer } from "../../index.ts";
import { sweepInterval } from "../../core/health/targets.ts";
import { healthReader } from "../../health/reader.ts";
import { jittered, sweepForAMinute } from "../../health/rounds.ts";
import { type Sweep, sweeper } from "../../health/sweep.ts";
import type { Ports } from "../../proxy/ports.ts";
import type { DenoKv, DenoRuntime } from "./deno.ts";
import { isNamed } from "./named.ts";
import { denoPorts } from "./ports.ts";
import { denoKvStore, memoryStore } from "./store.ts";
import { kvTally } from "./tally.ts";

declare const Deno: DenoRuntime;

function option(name: string, otherwise: string): string {
  const at = Deno.args.indexOf(name);
  return at === -1 ? otherwise : (Deno.args[at + 1] ?? otherwise);
}

/** Without --allow-env nothing is set. */
function readSecret(name: string): string | undefined {
  try {
    return Deno.env.get(name);
  } catch {
    return undefined;
  }
}

/** Deno KV, at --kv or where Deno has its own. Without it what this process finds out is for itself, and lost with it. */
async function openKv(): Promise<DenoKv | undefined> {
  const path = option("--kv", "");
  if (Deno.openKv === undefined && path === "") return undefined;
  try {
    if (Deno.openKv === undefined) throw new Error("--kv needs --unstable-kv");
    return await (path === "" ? Deno.openKv() : Deno.openKv(path));
  } catch (error) {
    console.warn(JSON.stringify({ level: "warn", event: "kv-unavailable", error: String(error) }));
    return undefined;
  }
}

/**
 * Serves the proxy, as the command line says: `--config FILE`, `--hostname NAME`, `--port N`, `--kv FILE`. Needs --allow-net and --allow-read; --allow-env for
 * secrets, --unstable-kv and --allow-write for a KV. Rejects where the config cannot be used.
 */
export async function door(layers: readonly Layer[] = []): Promise<void> {
  const { config } = await decodeArtifact(await Deno.readFile(option("--config", "dist/fairlead.compiled")));
  const kv = await openKv();
  const shared = kv === undefined ? { store: memoryStore(), tally: null } : { store: denoKvStore(kv), tally: kvTally(kv) };
  const ports = denoPorts({ env: readSecret, ...shared, clusters: config.clusters, createHttpClient: Deno.createHttpClient });
  const interval = sweepInterval(config.clusters);
  const proxy = createProxy({ config, ports, layers, known: healthReader(ports, { probed: interval !== undefined }) });
  if (interval !== undefined) keepSweeping(jittered(sweeper(config, ports), interval, ports), interval, ports);

  let listeningOn = 0;
  const server = Deno.serve(
    {
      hostname: option("--hostname", "127.0.0.1"),
      port: Number(option("--port", "8080")),
      onListen(address) {
        listeningOn = address.port;
        console.log(`listening on http://${address.hostname}:${address.port}`);
      },
    },
    async (request, { remoteAddr }) => {
      if (!isNamed(request, listeningOn)) return new Response("Cannot take this request: it must have one Host, and name no other", { status: 400 });
      return proxy.fetch(request, { keep: () => {}, clientAddress: () => remoteAddr.hostname, place: () => null, clientCertificate: () => null, left: () => request.signal });
    },
  );
  server.finished.catch((error: unknown) => {
    console.error(JSON.stringify({ level: "error", event: "stopped", error: String(error) }));
    Deno.exit(1);
  });
}

function keepSweeping(sweep: Sweep, interval: number, ports: Ports): void {
  // Deno Deploy stops an app that has no calls, timers and all; its cron starts it again. https://docs.deno.com/deploy/reference/cron/
  const stops = readSecret("DENO_DEPLOYMENT_ID") !== undefined;
  if (stops && Deno.cron !== undefined) return void Deno.cron("fairlead health sweep", "* * * * *", () => sweepForAMinute(sweep, interval, ports));
  const again = async (): Promise<void> => {
    const began = ports.now();
    await sweep();
    ports.after(Math.max(0, began + interval - ports.now()), () => void again());
  };
  void again();
}
