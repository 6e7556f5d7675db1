import type { ProbeResult } from "../core/health/judge.ts";
import type { Target } from "../core/health/targets.ts";
import type { Ports } from "../proxy/ports.ts";
import { probe } from "./probe.ts";

/** A Cloudflare invocation has no more connections than these that wait for headers. */
const atOnce = 6;

/** No probe is begun later in a sweep than this, in milliseconds: the next minute's cron finds it over. */
const longest = 50_000;

/** How long probing them takes at most, in milliseconds. */
export function longestFor(targets: readonly Target[]): number {
  const rounds = Math.ceil(targets.length / atOnce) * Math.max(0, ...targets.map(({ check }) => check.timeoutMs));
  return Math.min(rounds, longest);
}

/** Probes all that is due, as far as time and the platform let it, in the name of a region where there is one. Never throws. */
export async function probeAll(ports: Ports, due: readonly Target[], region: string | null): Promise<ProbeResult[]> {
  const until = ports.now() + longest;
  const results: ProbeResult[] = [];
  const rest = due.values();
  let spent = false;
  async function worker(): Promise<void> {
    for (const target of rest) {
      const result = await probe(ports, target, region);
      if (result !== undefined) results.push(result);
      else spent = true;
      if (spent || ports.now() > until) return;
    }
  }
  await Promise.all(Array.from({ length: Math.min(atOnce, due.length) }, worker));
  if (results.length < due.length) ports.log({ level: "warn", event: "health-sweep-cut", ...(region !== null && { region }), unprobed: due.length - results.length });
  return results;
}
