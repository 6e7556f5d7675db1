import type { CompiledResidency, CompiledRoute } from "../config/compiled.ts";
import { effectiveWeight, tierLoads, type TierHealth } from "./load.ts";
import { kilometres, type Place } from "./place.ts";
import type { ClusterView, LocalityView, Standing } from "./snapshot.ts";

/**
 * Decides how the localities of a cluster share the calls that are like this one, and writes it into `standings`:
 * residency first, then tiers (priority, home, distance), the load of each tier, and the localities' weights inside it.
 * Localities whose region is in `avoided` are as if they were not there.
 */
export function shareOut({ cluster, localities, standings }: ClusterView, { residency }: CompiledRoute, place: Place, avoided: readonly string[] = []): void {
  const rule = residencyOf(residency, place);
  let waiting = 0;
  for (let i = 0; i < localities.length; i++) {
    const locality = localities[i]!;
    const standing = standings[i]!;
    standing.admitted = rule === undefined || rule.regions.includes(locality.region);
    standing.avoided = avoided.includes(locality.region);
    standing.home = homeOf(locality, place);
    standing.km = place.at === undefined || locality.at === null ? Infinity : kilometres(place.at, locality.at);
    standing.tier = -1;
    standing.share = 0;
    standing.panic = false;
    if (isCandidate(locality, standing)) waiting++;
  }
  const tiers: TierHealth[] = [];
  while (waiting > 0) {
    const health = nextTier(localities, standings, tiers.length, cluster.bandKm);
    tiers.push(health);
    waiting -= health.localities;
    // A tier that is well takes everything: the farther ones need not be looked at.
    if (tiers.length === 1 && effectiveWeight(1, health) === 1) return divide(localities, standings, 0, 1, false);
  }
  const loads = tierLoads(tiers);
  for (const [tier, { load, panic }] of loads.entries()) divide(localities, standings, tier, load, panic);
}

/** The rule that holds for a caller: its country's before its continent's. */
export function residencyOf(rules: readonly CompiledResidency[], { country, continent }: Place): CompiledResidency | undefined {
  if (rules.length === 0) return undefined;
  if (country === undefined && continent === undefined) return rules.find(({ unplaced }) => unplaced);
  return (
    rules.find(({ countries }) => country !== undefined && countries.includes(country)) ??
    rules.find(({ continents }) => continent !== undefined && continents.includes(continent))
  );
}

function homeOf({ countries, continents }: LocalityView, { country, continent }: Place): number {
  if (country !== undefined && countries.has(country)) return 0;
  return continent !== undefined && continents.has(continent) ? 1 : 2;
}

/** Puts the localities that come next into a tier: the lowest priority, then home, then distance, give or take a band. */
function nextTier(localities: readonly LocalityView[], standings: readonly Standing[], tier: number, bandKm: number): TierHealth & { readonly localities: number } {
  const isWaiting = (i: number): boolean => standings[i]!.tier === -1 && isCandidate(localities[i]!, standings[i]!);
  let first = -1;
  for (let i = 0; i < localities.length; i++) if (isWaiting(i) && (first === -1 || order(localities, standings, i, first) < 0)) first = i;
  const { home, km } = standings[first]!;
  let [count, eligible, ready, total] = [0, 0, 0, 0];
  for (let i = 0; i < localities.length; i++) {
    if (!isWaiting(i) || localities[i]!.priority !== localities[first]!.priority || standings[i]!.home !== home || standings[i]!.km > km + bandKm) continue;
    standings[i]!.tier = tier;
    count++;
    eligible += localities[i]!.eligible;
    ready += localities[i]!.ready;
    total += localities[i]!.total;
  }
  return { localities: count, eligible, ready, total };
}

function isCandidate({ total }: LocalityView, { admitted, avoided }: Standing): boolean {
  return admitted && !avoided && total > 0;
}

function order(localities: readonly LocalityView[], standings: readonly Standing[], a: number, b: number): number {
  const [one, other] = [standings[a]!, standings[b]!];
  return localities[a]!.priority - localities[b]!.priority || one.home - other.home || (one.km === other.km ? 0 : one.km - other.km);
}

/** Divides a tier's load among its localities, by weight. */
function divide(localities: readonly LocalityView[], standings: readonly Standing[], tier: number, load: number, panic: boolean): void {
  const weightOf = (i: number): number => (standings[i]!.tier !== tier ? 0 : panic ? localities[i]!.weight : effectiveWeight(localities[i]!.weight, localities[i]!));
  let sum = 0;
  for (let i = 0; i < localities.length; i++) sum += weightOf(i);
  if (sum === 0) return;
  for (let i = 0; i < localities.length; i++) {
    if (standings[i]!.tier !== tier) continue;
    standings[i]!.share = (load * weightOf(i)) / sum;
    standings[i]!.panic = panic;
  }
}
