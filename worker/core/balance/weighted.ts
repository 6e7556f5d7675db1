/** Weights to choose by, summed up once so that a choice is a binary search. */
export interface Weighted {
  /** `upTo[i]` is the sum of the weights up to and with the i-th. */
  readonly upTo: Float64Array;
  readonly sum: number;
  /** Index of the last weight above 0, where rounding must not go beyond; -1 where there is none. */
  readonly last: number;
}

export function weighted(weights: readonly number[]): Weighted {
  const upTo = new Float64Array(weights.length);
  let sum = 0;
  for (const [i, weight] of weights.entries()) upTo[i] = sum += weight;
  return { upTo, sum, last: weights.findLastIndex((weight) => weight > 0) };
}

/** Index by weight; `random` is uniform in [0, 1). -1 where every weight is 0. */
export function draw({ upTo, sum, last }: Weighted, random: number): number {
  const at = random * sum;
  let low = 0;
  let high = last;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (upTo[middle]! > at) high = middle;
    else low = middle + 1;
  }
  return last === -1 ? -1 : low;
}
