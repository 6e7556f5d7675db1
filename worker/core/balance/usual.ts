import type { Observation } from "./observation.ts";

/** How long the good calls of one method take at the endpoints of one locality, as this isolate sees it: from another one its answers have a longer way. */
export interface Usual {
  readonly locality: readonly Observation[];
  /** The time that 95 of 100 do not exceed, in milliseconds; 0: nobody knows. Of the first few calls it is three times their mean. */
  ms: number;
  /** How many have been seen, up to `few`. */
  calls: number;
  /** How many in a row did not exceed it. */
  below: number;
}

/** Of so few calls nobody can tell which one is unusual. */
export const few = 20;

/**
 * Each call moves the estimate by a fixed part of itself: up by 19 steps where it took longer, down by one where it did not, so that it rests where one
 * call in 20 takes longer. https://arxiv.org/abs/1407.1121
 */
const step = 0.01;
const up = Math.exp(19 * step);
const down = Math.exp(-step);
/** So many calls in a row that do not exceed the estimate (less than one time in 100 by chance) say that all has become quicker. */
const longRow = 100;
const quicklyDown = Math.exp(-5 * step);

export function nothingUsual(locality: readonly Observation[]): Usual {
  return { locality, ms: 0, calls: 0, below: 0 };
}

/**
 * Takes in a good call of `ms` milliseconds that an endpoint of the locality answered. An attempt that another one overtook is none: a sick endpoint would make its method
 * slow. Those go on top of the one in 20, which is to be seen where methods are slow by chance.
 */
export function took(usual: Usual, ms: number, seen: Observation): void {
  // By a clock that counts whole milliseconds a quick call takes none.
  const long = Math.max(1, ms);
  if (usual.calls < few) {
    if (isLaggard(seen, usual.locality)) return;
    usual.calls++;
    usual.ms += (3 * long - usual.ms) / usual.calls;
  } else if (long > usual.ms) {
    usual.below = 0;
    if (!isLaggard(seen, usual.locality)) usual.ms *= up;
  } else {
    usual.below++;
    usual.ms = Math.max(1, usual.ms * (usual.below > longRow ? quicklyDown : down));
  }
}

/** Whether an endpoint takes more than twice as long as its middle neighbour. What it takes long for is then no sign of a slow method. */
function isLaggard({ latency }: Observation, neighbours: readonly Observation[]): boolean {
  let [known, quicker] = [0, 0];
  for (const other of neighbours) {
    if (other.latency === 0) continue;
    known++;
    if (2 * other.latency < latency) quicker++;
  }
  return 2 * quicker >= known && quicker > 0;
}
