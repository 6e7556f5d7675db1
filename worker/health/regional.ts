import type { ProbeResult } from "../core/health/judge.ts";
import { regionsOf, type Target } from "../core/health/targets.ts";
import type { Ports } from "../proxy/ports.ts";
import { within } from "../proxy/within.ts";
import { longestFor, probeAll } from "./probe-all.ts";

/**
 * Has endpoints probed by somebody who is in a region, and gives what was found of them. They are named by their keys: whoever probes may have another
 * config than the sweep while a new one is deployed, and says nothing of a key that it does not know.
 */
export type Prober = (region: string, keys: readonly string[]) => Promise<readonly ProbeResult[]>;

/** Beside its probes, a prober needs so long to begin and to answer, in milliseconds, at most. */
const roundTripMs = 5000;

/**
 * Probes what is due, each from its regions. What no region answers for, the sweep probes by itself: a prober that fails is no news of an endpoint.
 * Never throws.
 */
export async function probeFromRegions(ports: Ports, prober: Prober | undefined, due: readonly Target[]): Promise<ProbeResult[]> {
  if (prober === undefined) return probeAll(ports, due, null);
  const [told, own] = await Promise.all([
    Promise.all(regionsOf(due.map(({ check }) => check)).map((region) => ask(ports, prober, region, due.filter(({ check }) => check.regions.includes(region))))),
    probeAll(ports, due.filter(({ check }) => check.regions.length === 0), null),
  ]);
  const answered = new Set(told.flat().map(({ key }) => key));
  const silent = due.filter(({ key, check }) => check.regions.length > 0 && !answered.has(key));
  return [...told.flat(), ...own, ...(await probeAll(ports, silent, null))];
}

async function ask(ports: Ports, prober: Prober, region: string, targets: readonly Target[]): Promise<ProbeResult[]> {
  const keys = new Set(targets.map(({ key }) => key));
  try {
    const results = await within(ports, longestFor(targets) + roundTripMs, prober(region, [...keys]));
    return results.filter(({ key }) => keys.has(key)).map((result) => ({ ...result, region }));
  } catch (error) {
    ports.log({ level: "warn", event: "prober-silent", region, error: String(error) });
    return [];
  }
}
