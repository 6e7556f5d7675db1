/** What operators decided; it holds until they decide otherwise. */
export interface Overrides {
  readonly writtenAt: number;
  readonly drains: readonly Drain[];
  readonly weights: readonly WeightOverride[];
}

/** What gets no new call, not even in panic. */
export interface Drain {
  /** One of an endpoint's `keysAbove`. */
  readonly target: string;
  readonly reason: string;
  readonly since: number;
}

/** A weight in the place of the config's. */
export interface WeightOverride {
  /** A locality's `localityKey`; an endpoint's key, with its binding or without. */
  readonly target: string;
  /** From 0, no share, to 1,000,000. */
  readonly weight: number;
  readonly since: number;
}

/** The largest weight, here as in the config. */
export const mostWeight = 1_000_000;
