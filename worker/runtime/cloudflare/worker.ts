import { createProxy, decodeArtifact, type Proxy } from "../../index.ts";
import { regionsOf, sweepInterval } from "../../core/health/targets.ts";
import { healthReader } from "../../health/reader.ts";
import { jittered, sweepForAMinute } from "../../health/rounds.ts";
import type { Sweep } from "../../health/sweep.ts";
import artifact from "../../../dist/fairlead.compiled";
import { refuseCertificates } from "./certificates.ts";
import { connectionFacts } from "./facts.ts";
import { cloudflarePorts } from "./ports.ts";
import { proberClass, type ProberEnv, proberOf } from "./prober.ts";
import { sweeperClass, type Waking } from "./sweeper.ts";
import { tallyClass } from "./tally-object.ts";

const { config, digest } = await decodeArtifact(new Uint8Array(artifact));
const minute = 60_000;
refuseCertificates(config.clusters);
let proxy: Proxy | undefined;
let sweep: Sweep | undefined;

/** Where one is bound, the object that sweeps: https://developers.cloudflare.com/durable-objects/api/namespace/#getbyname */
interface Env extends ProberEnv {
  readonly FAIRLEAD_SWEEPER?: { getByName(name: string): Waking };
}

function open(env: object): Proxy {
  const ports = cloudflarePorts(env, digest);
  const checks = config.clusters.map(({ healthCheck }) => healthCheck);
  return createProxy({ config, ports, known: healthReader(ports, { probed: sweepInterval(config.clusters) !== undefined, regions: regionsOf(checks) }) });
}

const portsOf = (env: object) => cloudflarePorts(env, digest);
export class Sweeper extends sweeperClass(config, portsOf) {}
export class Prober extends proberClass(config, portsOf) {}
export class Tally extends tallyClass(config) {}

export default {
  fetch(request: Request, env: object, context: ExecutionContext): Promise<Response> {
    proxy ??= open(env);
    return proxy.fetch(request, connectionFacts(request, context));
  },
  /** A cron ticks by the minute at most. Who names none ticks by itself, as often as it likes: one sweep. */
  async scheduled({ cron }: { readonly cron: string }, env: Env): Promise<void> {
    if (env.FAIRLEAD_SWEEPER !== undefined) return env.FAIRLEAD_SWEEPER.getByName("sweep").wake();
    // Loaded when it is needed: most isolates never sweep.
    const { sweeper } = await import("../../health/sweep.ts");
    const ports = cloudflarePorts(env, digest);
    const interval = sweepInterval(config.clusters) ?? minute;
    sweep ??= jittered(sweeper(config, ports, { prober: proberOf(env) }), interval, ports);
    return cron === "" ? sweep() : sweepForAMinute(sweep, interval, ports);
  },
};
