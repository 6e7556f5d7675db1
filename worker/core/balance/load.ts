/** How much of a tier's calls its eligible endpoints are trusted with before farther tiers take a part. */
export const overprovisioning = 1.4;

/** Below this share of eligible endpoints a tier is in panic, where no other can make up for it. */
export const panicThreshold = 0.5;

/** Endpoints of one tier. */
export interface TierHealth {
  readonly eligible: number;
  readonly total: number;
}

export interface TierLoad {
  /** Share of the calls, from 0 to 1; those of all tiers sum up to 1. */
  readonly load: number;
  /** Whether the tier's calls go to any of its endpoints, healthy or not. */
  readonly panic: boolean;
}

/**
 * The load of each tier, nearest first: as much as its health allows, the rest to the next.
 * https://www.envoyproxy.io/docs/envoy/latest/intro/arch_overview/upstream/load_balancing/priority and `…/panic_threshold`
 */
export function tierLoads(tiers: readonly TierHealth[]): TierLoad[] {
  const fractions = tiers.map(({ eligible, total }) => (total === 0 ? 0 : eligible / total));
  const health = fractions.map((fraction) => Math.min(1, overprovisioning * fraction));
  const all = Math.min(1, sum(health));
  const panics = fractions.map((fraction) => all < 1 && fraction < panicThreshold);
  if (all === 0) return tiers.map((_, i) => ({ load: i === 0 ? 1 : 0, panic: true }));
  if (panics.every(Boolean)) {
    const endpoints = sum(tiers.map(({ total }) => total));
    return tiers.map(({ total }) => ({ load: total / endpoints, panic: true }));
  }
  let left = 1;
  return tiers.map((_, i) => {
    const load = Math.min(left, health[i]! / all);
    left -= load;
    return { load, panic: panics[i]! };
  });
}

/** How much a locality counts in its tier: its weight, less what its sick endpoints leave undone. */
export function effectiveWeight(weight: number, { eligible, total }: TierHealth): number {
  return total === 0 ? 0 : weight * Math.min(1, (overprovisioning * eligible) / total);
}

function sum(values: readonly number[]): number {
  return values.reduce((a, b) => a + b, 0);
}
