import { createProxy, decodeArtifact, type Proxy } from "../../index.ts";
import { sweepInterval } from "../../core/health/targets.ts";
import { healthReader } from "../../health/reader.ts";
import { jittered, sweepForAMinute } from "../../health/rounds.ts";
import { type Sweep, sweeper } from "../../health/sweep.ts";
import artifact from "../../../dist/fairlead.compiled";
import { connectionFacts } from "./facts.ts";
import { cloudflarePorts } from "./ports.ts";

const { config } = await decodeArtifact(new Uint8Array(artifact));
const minute = 60_000;
let proxy: Proxy | undefined;
let sweep: Sweep | undefined;

function open(env: object): Proxy {
  const ports = cloudflarePorts(env);
  return createProxy({ config, ports, known: healthReader(ports, { probed: sweepInterval(config.clusters) !== undefined }) });
}

export default {
  fetch(request: Request, env: object, context: ExecutionContext): Promise<Response> {
    proxy ??= open(env);
    return proxy.fetch(request, connectionFacts(request, context));
  },
  /** A cron ticks by the minute at most. Who names none ticks by itself, as often as it likes: one sweep. */
  scheduled({ cron }: { readonly cron: string }, env: object): Promise<void> {
    const ports = cloudflarePorts(env);
    const interval = sweepInterval(config.clusters) ?? minute;
    sweep ??= jittered(sweeper(config, ports), interval, ports);
    return cron === "" ? sweep() : sweepForAMinute(sweep, interval, ports);
  },
};
