import { createProxy, decodeArtifact, type Layer, type Proxy } from "../../index.ts";
import { regionsOf, sweepInterval } from "../../core/health/targets.ts";
import { healthReader } from "../../health/reader.ts";
import { jittered, sweepForAMinute } from "../../health/rounds.ts";
import type { Sweep } from "../../health/sweep.ts";
import { refuseCertificates } from "./certificates.ts";
import { connectionFacts } from "./facts.ts";
import { cloudflarePorts } from "./ports.ts";
import { proberClass, type ProberEnv, proberOf } from "./prober.ts";
import { sweeperClass, type Waking } from "./sweeper.ts";
import { tallyClass } from "./tally-object.ts";

const minute = 60_000;

/** Where one is bound, the object that sweeps: https://developers.cloudflare.com/durable-objects/api/namespace/#getbyname */
interface Env extends ProberEnv {
  readonly FAIRLEAD_SWEEPER?: { getByName(name: string): Waking };
}

/**
 * All that a Worker of the proxy exports: `handlers` as its default, and the classes of its Durable Objects by their names. `artifact` is the
 * compiled config. Rejects where it cannot be used, so that the Worker does not start.
 */
export async function door(artifact: ArrayBuffer, layers: readonly Layer[] = []) {
  const { config, digest } = await decodeArtifact(new Uint8Array(artifact));
  refuseCertificates(config.clusters);
  const interval = sweepInterval(config.clusters);
  const portsOf = (env: object) => cloudflarePorts(env, digest);
  let proxy: Proxy | undefined;
  let sweep: Sweep | undefined;

  function open(env: object): Proxy {
    const ports = portsOf(env);
    const checks = config.clusters.map(({ healthCheck }) => healthCheck);
    return createProxy({ config, ports, layers, known: healthReader(ports, { probed: interval !== undefined, regions: regionsOf(checks) }) });
  }

  const handlers = {
    fetch(request: Request, env: object, context: ExecutionContext): Promise<Response> {
      proxy ??= open(env);
      return proxy.fetch(request, connectionFacts(request, context));
    },
    /** A cron ticks by the minute at most. Who names none ticks by itself, as often as it likes: one sweep. */
    async scheduled({ cron }: { readonly cron: string }, env: Env): Promise<void> {
      if (env.FAIRLEAD_SWEEPER !== undefined) return env.FAIRLEAD_SWEEPER.getByName("sweep").wake();
      // Loaded when it is needed: most isolates never sweep.
      const { sweeper } = await import("../../health/sweep.ts");
      const ports = portsOf(env);
      const every = interval ?? minute;
      sweep ??= jittered(sweeper(config, ports, { prober: proberOf(env) }), every, ports);
      return cron === "" ? sweep() : sweepForAMinute(sweep, every, ports);
    },
  };
  return { handlers, Sweeper: sweeperClass(config, portsOf), Prober: proberClass(config, portsOf), Tally: tallyClass(config) };
}
