/** Numbers that look random, and are the same for the same seed and name. */
export interface Seeded {
  /** Uniform in [0, 1). */
  readonly uniform: () => number;
  /** Time to the next of things that come independently of each other, `mean` apart. */
  readonly exponential: (mean: number) => number;
  /** Bell-shaped, mean 0, deviation 1. */
  readonly normal: () => number;
}

/** A generator of its own for each name, so that one thing that asks more often changes nothing for the others. sfc32, by Chris Doty-Humphrey. */
export function seeded(seed: number, name: string): Seeded {
  let [a, b, c, counter] = [seed | 0, 0x9e3779b9, 0x243f6a88, 1];
  for (const char of name) b = Math.imul(b ^ char.charCodeAt(0), 0x01000193);
  const uniform = (): number => {
    const sum = (((a + b) | 0) + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = (((c << 21) | (c >>> 11)) + sum) | 0;
    return (sum >>> 0) / 2 ** 32;
  };
  for (let i = 0; i < 15; i++) uniform();
  return {
    uniform,
    exponential: (mean) => -mean * Math.log(1 - uniform()),
    normal: () => Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform()),
  };
}
