import type { Picked } from "../core/balance/pick.ts";

/**
 * The regions that a call's next attempt leaves. A neighbour may do where one endpoint answered, if only with an error: it is the nearest.
 * A second time, or without an answer, it is the place.
 */
export function regionsToLeave(tried: readonly Picked[], answered: Picked | undefined): readonly string[] {
  return tried.filter((picked) => picked !== answered || tried.length > 1).map(({ region }) => region);
}

/** Whether nothing speaks against any endpoint of a locality. One of it is then merely late, and another region would hear of every late call. */
export function isSpotless({ neighbours }: Picked): boolean {
  return neighbours.every(({ failures, ejectedUntil }) => failures === 0 && ejectedUntil === 0);
}
