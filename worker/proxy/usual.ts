/** How long calls of a method usually take, in milliseconds: an exponentially weighted mean of the good ones in this isolate. */
export interface Usual {
  /** 0 where nobody knows. */
  of(path: string): number;
  took(path: string, ms: number): void;
}

/** Methods are made up by callers where a route takes a prefix: no more are remembered. */
const mostMethods = 1000;
const weightOfOne = 0.1;

export function usual(): Usual {
  const means = new Map<string, number>();
  return {
    of: (path) => means.get(path) ?? 0,
    took(path, ms) {
      const mean = means.get(path);
      if (mean !== undefined) means.set(path, mean + weightOfOne * (ms - mean));
      else if (means.size < mostMethods) means.set(path, ms);
    },
  };
}
