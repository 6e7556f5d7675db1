import { DurableObject } from "cloudflare:workers";
import type { CompiledConfig } from "../../core/config/compiled.ts";
import type { ProbeResult } from "../../core/health/judge.ts";
import { targetsOf } from "../../core/health/targets.ts";
import type { Prober } from "../../health/regional.ts";
import type { Ports } from "../../proxy/ports.ts";

/** The binding of the objects that probe, where there is one. */
export interface ProberEnv {
  readonly FAIRLEAD_PROBER?: { getByName(name: string, options: { readonly locationHint: string }): Probing };
}

interface Probing {
  probe: Prober;
}

/**
 * Has each region probe by an object of its own. It is made there at the first time that it is asked, and stays.
 * https://developers.cloudflare.com/durable-objects/reference/data-location/#provide-a-location-hint
 */
export function proberOf({ FAIRLEAD_PROBER: objects }: ProberEnv): Prober | undefined {
  return objects && ((region, keys) => objects.getByName(region, { locationHint: region }).probe(region, keys));
}

/** The class of a Durable Object that probes what it is asked to, from where it is, and keeps nothing: one writes the health table. */
export function proberClass({ clusters }: CompiledConfig, portsOf: (env: object) => Ports) {
  const targets = targetsOf(clusters);

  return class Prober extends DurableObject implements Probing {
    async probe(region: string, keys: readonly string[]): Promise<readonly ProbeResult[]> {
      const { probeAll } = await import("../../health/probe-all.ts");
      return probeAll(portsOf(this.env as object), keys.flatMap((key) => targets.get(key) ?? []), region);
    }
  };
}
