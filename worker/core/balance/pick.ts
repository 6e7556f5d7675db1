import type { CompiledCluster, CompiledEndpoint, CompiledRoute } from "../config/compiled.ts";
import type { End } from "../protocol/end.ts";
import type { Place } from "./place.ts";
import { hash, mostWanted } from "./rendezvous.ts";
import { shareOut } from "./share-out.ts";
import type { ClusterView, EndpointView, LocalityView, Snapshot, Standing } from "./snapshot.ts";
import { draw } from "./weighted.ts";

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
  /** To be called once, when the call has ended. */
  readonly done: (outcome: Outcome) => void;
}

/** How a call ended, seen from the endpoint that it went to. */
export type Outcome = Pick<End, "code">;

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
export function pickEndpoint({ clusters }: Snapshot, cluster: number, ask: Ask, random: Random): Picked | undefined {
  const view = clusters[cluster]!;
  shareOut(view, ask.route, ask.place);
  const key = ask.route.sticky?.pins === "endpoint" ? ask.key : undefined;
  const pinned = key === undefined ? undefined : hash(key);
  const at = pickLocality(view, pinned, random);
  if (at === -1) return undefined;
  const locality = view.localities[at]!;
  const chosen = locality.endpoints[pickWithin(locality, view.standings[at]!, view.cluster.choice, pinned, random)]!;
  chosen.pending++;
  return { region: locality.region, endpoint: chosen.endpoint, done: () => void chosen.pending-- };
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

function pickWithin(locality: LocalityView, { panic }: Standing, choice: CompiledCluster["choice"], pinned: number | undefined, random: Random): number {
  const { endpoints } = locality;
  const weights = panic ? locality.all : locality.fit;
  const weightOf = (i: number): number => weights.upTo[i]! - (i === 0 ? 0 : weights.upTo[i - 1]!);
  if (pinned !== undefined) return mostWanted(pinned, endpoints.length, (i) => endpoints[i]!.name, weightOf);
  const one = draw(weights, random());
  if (choice === "random" || endpoints.length === 1) return one;
  const other = draw(weights, random());
  return busyness(endpoints[other]!, weightOf(other)) < busyness(endpoints[one]!, weightOf(one)) ? other : one;
}

/** Of two that are idle the first drawn is taken, so that their weights alone decide. */
function busyness({ pending }: EndpointView, weight: number): number {
  return pending / weight;
}
