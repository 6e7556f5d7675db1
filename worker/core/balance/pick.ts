import type { CompiledCluster, CompiledEndpoint, CompiledRoute } from "../config/compiled.ts";
import { beginTrial } from "./ejection.ts";
import { longestTrialMs, type Observation } from "./observation.ts";
import type { Place } from "./place.ts";
import { hash, mostWanted } from "./rendezvous.ts";
import { shareOut } from "./share-out.ts";
import type { ClusterView, EndpointView, LocalityView, Snapshot, Standing } from "./snapshot.ts";
import { draw, weighted } from "./weighted.ts";

/** What of a call its endpoint is picked by. */
export interface Ask {
  readonly route: CompiledRoute;
  readonly place: Place;
  /** What a sticky route holds on to; undefined where the call does not have it, or the route is not sticky. */
  readonly key: string | undefined;
}

export interface Picked {
  readonly region: string;
  readonly endpoint: CompiledEndpoint;
  /** What this isolate has seen of it, and of its whole locality. */
  readonly seen: Observation;
  readonly neighbours: readonly Observation[];
  /** The ejection after which this call finds out how it is, by when that ended (`ejectedUntil`); 0: none. */
  readonly trial: number;
}

/** Which of a call's attempts an endpoint is picked for. */
export interface Attempt {
  /** What was tried before: another endpoint is picked, where there is one. */
  readonly tried: readonly Picked[];
  /** Regions to leave, where there is another. */
  readonly left?: readonly string[];
  /** Whether the call may be sent again if it fails: only then may it be the one that is tried on an endpoint on probation. */
  readonly repeatable: boolean;
  /** It is not for a tier in panic. */
  readonly onlyWell?: boolean;
  /** Nobody else takes it: endpoints on probation do, as many calls as come. */
  readonly atAnyRisk?: boolean;
}

/** Uniform in [0, 1), anew at each call. */
export type Random = () => number;

/** Index of the cluster that a call belongs to, of its route's split. Health has no say in it: a sick canary must be seen. */
export function pickCluster({ clusters }: Snapshot, { route: { split }, key }: Ask, random: Random): number {
  if (split.length === 1) return split[0]!.cluster;
  const at =
    key === undefined
      ? drawShare(split, random())
      : mostWanted(hash(key), split.length, (i) => clusters[split[i]!.cluster]!.name, (i) => split[i]!.weight);
  return split[at]!.cluster;
}

/** The endpoint of a cluster (by index) that a call goes to; undefined where no locality that may take it has an endpoint with a weight. */
export function pickEndpoint({ clusters }: Snapshot, cluster: number, ask: Ask, random: Random, attempt: Attempt = only): Picked | undefined {
  const view = clusters[cluster]!;
  const { tried } = attempt;
  return (
    (tried.length === 0 ? undefined : pickElsewhere(view, ask, attempt, random)) ??
    pickAmong(view, ask, none, attempt, random) ??
    pickAmong(view, ask, none, { ...attempt, atAnyRisk: true }, random)
  );
}

/** For a further attempt: who is well in another region, then who is well beside those that were tried, then another region in panic. */
function pickElsewhere(view: ClusterView, ask: Ask, attempt: Attempt, random: Random): Picked | undefined {
  const regions = attempt.left ?? none;
  const well = { ...attempt, onlyWell: true };
  return pickAmong(view, ask, regions, well, random) ?? pickAmong(view, ask, none, well, random) ?? pickAmong(view, ask, regions, attempt, random);
}

const only: Attempt = { tried: [], repeatable: false };
const none: readonly string[] = [];

/** Picks outside of the regions to avoid; a locality in which nobody takes this attempt is avoided, too. */
function pickAmong(view: ClusterView, ask: Ask, avoid: readonly string[], attempt: Attempt, random: Random): Picked | undefined {
  const key = ask.route.sticky?.pins === "endpoint" ? ask.key : undefined;
  const pinned = key === undefined ? undefined : hash(key);
  let avoided = avoid;
  for (;;) {
    shareOut(view, ask.route, ask.place, avoided);
    const at = pickLocality(view, pinned, random);
    if (at === -1) return undefined;
    const locality = view.localities[at]!;
    if (view.standings[at]!.panic && attempt.onlyWell === true) return undefined;
    const chosen = locality.endpoints[pickWithin(locality, view.standings[at]!, view.cluster.choice, pinned, view.now, attempt, random)];
    if (chosen !== undefined) return take(locality, chosen, view.now);
    avoided = [...avoided, locality.region];
  }
}

function take({ region, seen: neighbours }: LocalityView, { endpoint, state, seen }: EndpointView, now: number): Picked {
  const trial = state === "probation" ? seen.ejectedUntil : 0;
  seen.pending++;
  if (trial > 0) beginTrial({ seen, neighbours }, now);
  return { region, endpoint, seen, neighbours, trial };
}

function pickLocality({ localities, standings }: ClusterView, pinned: number | undefined, random: Random): number {
  if (pinned !== undefined) return mostWanted(pinned, localities.length, (i) => localities[i]!.name, (i) => standings[i]!.share);
  let only = -1;
  for (let i = 0; i < standings.length; i++) {
    if (standings[i]!.share === 0) continue;
    if (only !== -1) return drawStanding(standings, random());
    only = i;
  }
  return only;
}

function drawStanding(standings: readonly Standing[], random: number): number {
  let [upTo, last] = [0, -1];
  for (let i = 0; i < standings.length; i++) {
    const { share } = standings[i]!;
    if (share === 0) continue;
    upTo += share;
    last = i;
    if (random < upTo) return i;
  }
  return last;
}

function drawShare(split: CompiledRoute["split"], random: number): number {
  const sum = split.reduce((all, { weight }) => all + weight, 0);
  let [upTo, last] = [0, -1];
  for (let i = 0; i < split.length; i++) {
    const { weight } = split[i]!;
    if (weight === 0) continue;
    upTo += weight;
    last = i;
    if (random * sum < upTo) return i;
  }
  return last;
}

function pickWithin(locality: LocalityView, { panic }: Standing, choice: CompiledCluster["choice"], pinned: number | undefined, now: number, attempt: Attempt, random: Random): number {
  const { endpoints } = locality;
  const weights = panic ? locality.all : locality.fit;
  const weightOf = (i: number): number => weights.upTo[i]! - (i === 0 ? 0 : weights.upTo[i - 1]!);
  const wanted = (i: number): number => (takes(endpoints[i]!, now, attempt) ? weightOf(i) : 0);
  if (pinned !== undefined) return mostWanted(pinned, endpoints.length, (i) => endpoints[i]!.name, wanted);
  const one = draw(weights, random());
  if (!takes(endpoints[one]!, now, attempt)) return drawAgain(endpoints.length, wanted, random());
  if (choice === "random" || endpoints.length === 1) return one;
  const other = draw(weights, random());
  const less = takes(endpoints[other]!, now, attempt) && busyness(endpoints[other]!, weightOf(other)) < busyness(endpoints[one]!, weightOf(one));
  return less ? other : one;
}

/** Whether an endpoint takes this attempt: none is tried twice, and one on probation takes one call, which can be repeated. */
function takes({ endpoint, state, seen }: EndpointView, now: number, { tried, repeatable, atAnyRisk = false }: Attempt): boolean {
  if (tried.some((before) => before.endpoint === endpoint)) return false;
  if (atAnyRisk || state !== "probation") return true;
  // Where no call comes that can be repeated, another one has to find out.
  const mayTry = repeatable || now - seen.ejectedUntil >= longestTrialMs;
  return mayTry && Math.abs(now - seen.trialSince) >= longestTrialMs;
}

/** Draws by weights that are made for this draw; -1 where all are 0. */
function drawAgain(count: number, weightOf: (i: number) => number, random: number): number {
  return draw(weighted(Array.from({ length: count }, (_, i) => weightOf(i))), random);
}

/** Of two that are idle the first drawn is taken, so that their weights alone decide. */
function busyness({ seen }: EndpointView, weight: number): number {
  return seen.pending / weight;
}
