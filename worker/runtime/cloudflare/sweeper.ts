import { DurableObject } from "cloudflare:workers";
import type { CompiledConfig } from "../../core/config/compiled.ts";
import { sweepInterval } from "../../core/health/targets.ts";
import { jittered } from "../../health/rounds.ts";
import type { Sweep } from "../../health/sweep.ts";
import type { Ports } from "../../proxy/ports.ts";
import { type ProberEnv, proberOf } from "./prober.ts";

/** What a cron asks of the object that sweeps. */
export interface Waking {
  /** Has it sweep from now on, if it does not already. */
  wake(): Promise<void>;
}

/**
 * The class of a Durable Object that sweeps by its alarm, as often as the config's shortest interval says, so also below a minute. There is one of it
 * in the world, with one memory: no streak is lost and no table written twice, as where each minute's cron finds another isolate.
 * https://developers.cloudflare.com/durable-objects/api/alarms/
 */
export function sweeperClass({ clusters }: CompiledConfig, portsOf: (env: object) => Ports) {
  const interval = sweepInterval(clusters);

  return class Sweeper extends DurableObject implements Waking {
    #sweep: Sweep | undefined;

    async wake(): Promise<void> {
      if (interval === undefined) return;
      const next = await this.ctx.storage.getAlarm();
      // A config before this one may have had a longer interval.
      if (next === null || next > Date.now() + interval) await this.ctx.storage.setAlarm(Date.now());
    }

    override async alarm(): Promise<void> {
      if (interval === undefined) return;
      // Before the sweep: whatever becomes of this one, there is a next. One that is still at work is not begun again.
      await this.ctx.storage.setAlarm(Date.now() + interval);
      const { sweeper } = await import("../../health/sweep.ts");
      const ports = portsOf(this.env as object);
      const { storage } = this.ctx;
      // An object that has nothing to do for ten seconds is put out of memory.
      const memory = { get: () => storage.get<Uint8Array>("table"), put: (bytes: Uint8Array) => storage.put("table", bytes) };
      this.#sweep ??= jittered(sweeper({ clusters }, ports, { memory, prober: proberOf(this.env as ProberEnv) }), interval, ports);
      await this.#sweep();
    }
  };
}
