/**
 * Rendezvous hashing with weights: everybody who knows a key and the candidates chooses alike, each candidate gets its
 * share of the keys, and one that comes or goes moves only its own.
 * Thaler and Ravishankar, "Using name-based mappings to increase hit rates" (1998); weights by the logarithmic method of
 * Schindelhauer and Schomaker, "Weighted distributed hash tables" (2005).
 */

/** 32 bits of a text: FNV-1a, then mixed. */
export function hash(text: string): number {
  let h = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) h = Math.imul(h ^ text.charCodeAt(i), 0x01000193);
  return mix(h);
}

/** Spreads 32 bits over 32 bits, one to one: https://github.com/aappleby/smhasher (MurmurHash3's finalizer). */
function mix(bits: number): number {
  let h = bits;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}

/** How much a key wants a candidate of this weight: the highest score of all has it. 0 where the weight is 0. */
function score(key: number, name: number, weight: number): number {
  if (weight === 0) return 0;
  const uniform = (mix(key ^ mix(name ^ 0x9e3779b9)) + 0.5) / 2 ** 32;
  return -weight / Math.log(uniform);
}

/** Index of the candidate that a key wants most; -1 where every weight is 0. */
export function mostWanted(key: number, count: number, name: (i: number) => number, weight: (i: number) => number): number {
  let best = -1;
  let most = 0;
  for (let i = 0; i < count; i++) {
    const wanted = score(key, name(i), weight(i));
    if (wanted <= most) continue;
    most = wanted;
    best = i;
  }
  return best;
}
