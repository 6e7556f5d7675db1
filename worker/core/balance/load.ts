/** How much of a tier's calls its eligible endpoints are trusted with before farther tiers take a part. */
const overprovisioning = 1.4;

/** Below this share of eligible endpoints a tier is in panic, where no other can make up for it. */
const panicThreshold = 0.5;

/** Endpoints of one tier, or of one locality. */
export interface TierHealth {
  /** Those that may take calls, */
  readonly eligible: number;
  /** and how many that are wholly well they are worth. */
  readonly ready: number;
  readonly total: number;
}

export interface TierLoad {
  /** Share of the calls, from 0 to 1; those of all tiers sum up to 1. */
  readonly load: number;
  /** Whether the tier's calls go to any of its endpoints, healthy or not. */
  readonly panic: boolean;
}

/**
 * The load of each tier, nearest first, and whether it is in panic. Where all are, health says nothing any more, and
 * each gets as much as it has endpoints; where nobody is well at all, the nearest gets everything.
 * https://www.envoyproxy.io/docs/envoy/latest/intro/arch_overview/upstream/load_balancing/panic_threshold
 */
export function tierLoads(tiers: readonly TierHealth[]): TierLoad[] {
  const well = tiers.map(({ eligible, total }) => part(eligible, total));
  const trusted = sum(well.map(trust));
  if (trusted === 0) return tiers.map((_, i) => ({ load: i === 0 ? 1 : 0, panic: true }));
  const panics = well.map((share) => trusted < 1 - rounding && share < panicThreshold);
  const endpoints = sum(tiers.map(({ total }) => total));
  const loads = panics.every(Boolean) ? tiers.map(({ total }) => total / endpoints) : priorityLoads(tiers.map(({ ready, total }) => part(ready, total)));
  return loads.map((load, i) => ({ load, panic: panics[i]! }));
}

/**
 * The load of each tier by the share of its endpoints that are well, from 0 to 1: as much as it is trusted with, the rest
 * to the next. https://www.envoyproxy.io/docs/envoy/latest/intro/arch_overview/upstream/load_balancing/priority
 */
export function priorityLoads(well: readonly number[]): number[] {
  const all = Math.min(1, sum(well.map(trust)));
  let left = 1;
  return well.map((share) => {
    const load = all === 0 ? left : Math.min(left, trust(share) / all);
    left = left - load < rounding ? 0 : left - load;
    return load;
  });
}

/** What sums of fractions may be off by. */
const rounding = 1e-9;

/** How much a locality counts in its tier: its weight, less what its sick endpoints leave undone. */
export function effectiveWeight(weight: number, { ready, total }: TierHealth): number {
  return weight * trust(part(ready, total));
}

/** How much of its part somebody is trusted with, by the share that is well. */
function trust(well: number): number {
  return Math.min(1, overprovisioning * well);
}

function part(some: number, total: number): number {
  return total === 0 ? 0 : some / total;
}

function sum(values: readonly number[]): number {
  return values.reduce((a, b) => a + b, 0);
}
