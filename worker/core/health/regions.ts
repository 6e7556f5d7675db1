import { kilometres, type Point } from "../balance/place.ts";

/**
 * Where Cloudflare makes Durable Objects when it is given a location hint, each by about the middle of the data centres that it takes for it:
 * a hint is a part of the world, and a best effort. sam, afr and me are hints, too, but their objects are made elsewhere.
 * https://developers.cloudflare.com/durable-objects/reference/data-location/#provide-a-location-hint
 */
const probeRegions: Readonly<Record<string, Point>> = {
  wnam: { lat: 39, lng: -112 },
  enam: { lat: 39, lng: -79 },
  weur: { lat: 50, lng: 1 },
  eeur: { lat: 49, lng: 14 },
  apac: { lat: 20, lng: 115 },
  "apac-ne": { lat: 36, lng: 133 },
  "apac-se": { lat: 12, lng: 109 },
  oc: { lat: -34, lng: 152 },
};

export function isProbeRegion(name: string): boolean {
  return Object.hasOwn(probeRegions, name);
}

/** From farther away, in km, what a region finds tells nothing of what is found here: that is about the breadth of a continent. */
const reachKm = 3000;

/** The region, among some, that is nearest to a point; null where none is near. Of two that are equally far the first. */
export function nearestRegion(at: Point, among: readonly string[]): string | null {
  let nearest: string | null = null;
  let least = reachKm;
  for (const name of among) {
    const middle = probeRegions[name];
    const km = middle === undefined ? Infinity : kilometres(at, middle);
    if (km > least || (km === least && nearest !== null)) continue;
    [nearest, least] = [name, km];
  }
  return nearest;
}

/** The region that an isolate takes itself to be near, by what most of its callers are near to. */
export interface Whereabouts {
  readonly region: string | null;
  /** How many more callers were for it than against. */
  readonly votes: number;
}

export const nowhereYet: Whereabouts = { region: null, votes: 0 };

/** More votes do not count, so that what is wrong at first can be put right. */
const mostVotes = 20;

/**
 * One more caller, near a region or (null) near none. An isolate is in one data centre, which the network takes to be close to its callers; but some
 * come from elsewhere, or are looked up wrongly, so the majority decides. Boyer and Moore, MJRTY, 1991, with a bound.
 */
export function vote({ region, votes }: Whereabouts, near: string | null): Whereabouts {
  if (near === region) return { region, votes: Math.min(votes + 1, mostVotes) };
  return votes > 1 ? { region, votes: votes - 1 } : { region: near, votes: 1 };
}
