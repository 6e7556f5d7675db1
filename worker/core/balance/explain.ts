import type { CompiledMatch, CompiledSticky } from "../config/compiled.ts";
import type { Ask } from "./pick.ts";
import type { Place } from "./place.ts";
import { residencyOf, shareOut } from "./share-out.ts";
import type { ClusterView, LocalityView, Snapshot, Standing } from "./snapshot.ts";

/** Why a call goes where it goes. */
export interface Explanation {
  /** The rules that fired, in the order in which they are applied. */
  readonly rules: readonly Rule[];
  /**
   * Every locality of every cluster in the split. The shares are those of all calls that are like this one: they sum up to
   * 1, less the share of a cluster that has nobody to send them to.
   */
  readonly localities: readonly Candidate[];
  /** What was picked; null where nothing could be. */
  readonly picked: { readonly cluster: string; readonly region: string; readonly endpoint: string } | null;
}

export interface Rule {
  readonly rule: "route" | "policy" | "split" | "sticky" | "place" | "probes" | "residency" | "priority" | "home" | "distance" | "load" | "panic" | "weight" | "endpoint" | "retry" | "nobody" | "ended";
  /** The same for people. */
  readonly says: string;
}

export interface Candidate {
  readonly cluster: string;
  readonly region: string;
  readonly share: number;
  /** Whole kilometres to the caller, where both places are known. */
  readonly km?: number;
  /** Why its share is 0. */
  readonly out?: "residency" | "weight" | "unfit" | "priority" | "home" | "farther" | "split";
  readonly endpoints: readonly { readonly endpoint: string; readonly share: number }[];
}

/** What was drawn. */
export type Chosen = Omit<NonNullable<Explanation["picked"]>, "cluster">;

/**
 * Explains a pick by doing again what led to it: the shares come from the very function that the picker asks, and only
 * the last step, the drawing, is told by `chosen`. The snapshot must be the one that was picked from.
 */
export function explain({ clusters, here }: Snapshot, ask: Ask, cluster: number, chosen: Chosen | undefined): Explanation {
  const { split } = ask.route;
  const sum = split.reduce((all, { weight }) => all + weight, 0);
  const localities = split.flatMap(({ cluster: at, weight }) => {
    shareOut(clusters[at]!, ask.route, ask.place);
    return candidates(clusters[at]!, weight / sum);
  });
  const view = clusters[cluster]!;
  shareOut(view, ask.route, ask.place);
  const rules = [...splitRules(clusters, ask, view), ...placeRules(ask, view), ...probeRules(view, here)];
  if (chosen === undefined && view.standings.some(({ share }) => share > 0)) {
    return { rules: [...rules, ...tierRules(view, ask.place), { rule: "ended", says: "it ended before an endpoint was picked: its error says why" }], localities, picked: null };
  }
  if (chosen === undefined) {
    const says = `no locality of ${view.cluster.name} may take this call and has an endpoint to send it to: it fails as unavailable`;
    return { rules: [...rules, { rule: "nobody", says }], localities, picked: null };
  }
  return { rules: [...rules, ...tierRules(view, ask.place), endpointRule(ask, view, chosen)], localities, picked: { cluster: view.cluster.name, ...chosen } };
}

/** The rule by which the route was found. */
export function routeRule({ kind, path, host, basePath, metadata }: CompiledMatch): Rule {
  const conditions = [
    ...(host === null ? [] : [`host ${host}`]),
    ...(basePath === "" ? [] : [`base path ${basePath}`]),
    ...metadata.map(({ name, exact, prefix, present }) => (present === null ? `${name}: ${exact ?? `${prefix}*`}` : `${present ? "" : "no "}${name}`)),
  ];
  const name = kind === "service" ? path.slice(1, -1) : path;
  return { rule: "route", says: `the route of ${kind} ${[name, ...conditions].join(", ")}` };
}

function splitRules(clusters: readonly ClusterView[], { route: { split, sticky }, key }: Ask, { cluster }: ClusterView): Rule[] {
  if (split.length === 1 && sticky === null) return [];
  const sum = split.reduce((all, { weight }) => all + weight, 0);
  const shares = split.map((one) => `${clusters[one.cluster]!.cluster.name} ${percent(one.weight / sum)}`).join(", ");
  const rules: Rule[] = split.length === 1 ? [] : [{ rule: "split", says: `${shares}: this call ${key === undefined ? "was drawn" : "belongs"} to ${cluster.name}` }];
  if (sticky !== null) rules.push({ rule: "sticky", says: stickySays(sticky, key, split.length > 1) });
  return rules;
}

function stickySays(sticky: CompiledSticky, key: string | undefined, splits: boolean): string {
  const by = sticky.by === "address" ? "the caller's address" : `${sticky.by} ${sticky.name}`;
  if (key === undefined) return `this route holds on to ${by}, which the call does not have: it is drawn`;
  const to = [...(splits ? ["the cluster"] : []), ...(sticky.pins === "endpoint" ? ["the endpoint"] : [])];
  return `${by} decides ${to.join(" and ") || "nothing, as there is one cluster"}: whoever has it goes there again`;
}

function placeRules({ route, place }: Ask, { localities, standings }: ClusterView): Rule[] {
  if (localities.length === 1 && route.residency.length === 0) return [];
  const { at, country, continent } = place;
  const where = [...(at === undefined ? [] : [`at ${at.lat}, ${at.lng}`]), ...(country === undefined ? [] : [`in ${country}`]), ...(continent === undefined ? [] : [`in ${continent}`])];
  const rules: Rule[] = [{ rule: "place", says: where.length === 0 ? "nobody knows where the caller is" : `the caller is ${where.join(", ")}` }];
  const residency = residencyOf(route.residency, place);
  if (residency !== undefined) {
    const out = localities.filter((_, i) => !standings[i]!.admitted).map(({ region }) => region);
    const whom = residency.countries.includes(country ?? "") ? country : residency.continents.includes(continent ?? "") ? continent : "no known place";
    rules.push({ rule: "residency", says: `callers of ${whom} may be served in ${residency.regions.join(", ")} alone${out.length === 0 ? "" : `: not in ${out.join(", ")}`}` });
  }
  return rules;
}

/** Whose probes an isolate goes by, where they come from several regions. */
function probeRules({ cluster: { healthCheck }, localities }: ClusterView, here: string | null): Rule[] {
  if (healthCheck === null || healthCheck.regions.length === 0) return [];
  if (here === null || !healthCheck.regions.includes(here)) return [{ rule: "probes", says: `none of ${healthCheck.regions.join(", ")} is near: an endpoint is out where probes from all of them fail` }];
  const out = localities.flatMap(({ region, endpoints }) => endpoints.filter(({ state }) => state === "unreached").map(({ endpoint }) => `${endpoint.url} in ${region}`));
  return [{ rule: "probes", says: `${here} is near: ${out.length === 0 ? "an endpoint is out where probes from there fail" : `probes from there fail at ${out.join(", ")}, so it is out, though others reach it`}` }];
}

function tierRules({ cluster, localities, standings }: ClusterView, place: Place): Rule[] {
  const rules: Rule[] = [];
  const candidates = localities.map((locality, i) => ({ locality, standing: standings[i]! })).filter(({ locality, standing }) => standing.admitted && locality.total > 0);
  const differ = (of: (one: Stand) => number): boolean => new Set(candidates.map(of)).size > 1;
  const first = candidates.filter(({ standing }) => standing.tier === 0);
  if (first[0] === undefined) return [];
  const { locality, standing } = first[0];
  const names = first.map((one) => one.locality.region).join(", ");
  const rivals = candidates.filter((one) => one.locality.priority === locality.priority);
  if (differ((one) => one.locality.priority)) rules.push({ rule: "priority", says: `priority ${locality.priority} comes first: ${regions(rivals)}` });
  const equals = rivals.filter((one) => one.standing.home === standing.home);
  if (standing.home < 2) rules.push({ rule: "home", says: `callers of ${standing.home === 0 ? place.country : place.continent} are at home in ${regions(equals)}` });
  if (standing.km < Infinity && (standing.home === 2 || equals.length > 1)) {
    const shared = first.length > 1 ? `; those up to ${cluster.bandKm} km farther count as near` : "";
    rules.push({ rule: "distance", says: `nearest: ${first.map((one) => `${one.locality.region} at ${Math.round(one.standing.km)} km`).join(", ")}${shared}` });
  }
  const loaded = candidates.filter((one) => one.standing.share > 0);
  if (loaded.some((one) => one.standing.tier > 0)) rules.push({ rule: "load", says: `too few endpoints are well in ${names}: a part goes farther` });
  if (loaded.some((one) => one.standing.panic)) rules.push({ rule: "panic", says: "so few endpoints are well that health is disregarded" });
  if (loaded.length > 1) rules.push({ rule: "weight", says: loaded.map((one) => `${one.locality.region} ${percent(one.standing.share)}`).join(", ") });
  return rules;
}

interface Stand {
  readonly locality: LocalityView;
  readonly standing: Standing;
}

function regions(stands: readonly Stand[]): string {
  return stands.map(({ locality }) => locality.region).join(", ");
}

function endpointRule({ route, key }: Ask, { cluster, localities, standings }: ClusterView, { region, endpoint }: Chosen): Rule {
  const at = localities.findIndex((locality) => locality.region === region);
  const among = standings[at]?.panic === true ? localities[at]!.total : localities[at]!.eligible;
  if (among <= 1) return { rule: "endpoint", says: `${endpoint}, the only one in ${region}` };
  const pinned = route.sticky?.pins === "endpoint" && key !== undefined;
  const how = pinned ? "held on to" : cluster.choice === "least-pending" ? "the less busy of two drawn by weight" : "drawn by weight";
  return { rule: "endpoint", says: `${endpoint}, ${how} among ${among} in ${region}` };
}

function candidates({ cluster, localities, standings }: ClusterView, ofSplit: number): Candidate[] {
  const at = standings.findIndex(({ tier }) => tier === 0);
  const first = at === -1 ? undefined : { locality: localities[at]!, standing: standings[at]! };
  return localities.map((locality, i): Candidate => {
    const standing = standings[i]!;
    const share = ofSplit * standing.share;
    const weights = standing.panic ? locality.all : locality.fit;
    const out = share > 0 ? undefined : reason(locality, standing, ofSplit, first);
    return {
      cluster: cluster.name,
      region: locality.region,
      share,
      ...(standing.km < Infinity && { km: Math.round(standing.km) }),
      ...(out !== undefined && { out }),
      endpoints: locality.endpoints.map(({ endpoint }, j) => ({
        endpoint: endpoint.url,
        share: share === 0 ? 0 : (share * (weights.upTo[j]! - (weights.upTo[j - 1] ?? 0))) / weights.sum,
      })),
    };
  });
}

function reason(locality: LocalityView, { admitted, home }: Standing, ofSplit: number, first: Stand | undefined): NonNullable<Candidate["out"]> {
  if (!admitted) return "residency";
  if (ofSplit === 0) return "split";
  const drained = locality.endpoints.some(({ state }) => state === "drained");
  if (locality.total === 0 && !drained) return "weight";
  if (locality.eligible === 0) return "unfit";
  if (first !== undefined && locality.priority > first.locality.priority) return "priority";
  return first !== undefined && home > first.standing.home ? "home" : "farther";
}

function percent(share: number): string {
  return `${Number((share * 100).toPrecision(3))} %`;
}
