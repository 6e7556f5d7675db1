/** What operators decided; it holds until they decide otherwise. */
export interface Overrides {
  readonly writtenAt: number;
  readonly drains: readonly Drain[];
}

/** What gets no new call, not even in panic. */
export interface Drain {
  /** One of an endpoint's `keysAbove`. */
  readonly target: string;
  readonly reason: string;
  readonly since: number;
}
