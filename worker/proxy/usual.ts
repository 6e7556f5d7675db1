import type { Picked } from "../core/balance/pick.ts";
import { nothingUsual, took, type Usual } from "../core/balance/usual.ts";

/** How long calls of each method usually take in each locality, as this isolate sees it. */
export interface Usuals {
  /** The time that 95 of 100 good ones do not exceed there, in milliseconds; 0 where nobody knows. */
  of(path: string, picked: Picked): number;
  took(path: string, ms: number, picked: Picked): void;
}

/** Methods are made up by callers where a route takes a prefix: no more are remembered. */
const mostMethods = 1000;

export function usuals(): Usuals {
  const methods = new Map<string, Usual[]>();

  function find(path: string, { neighbours }: Picked): Usual | undefined {
    const known = methods.get(path);
    if (known !== undefined) for (const one of known) if (one.locality === neighbours) return one;
    return undefined;
  }

  function add(path: string, { neighbours }: Picked): Usual | undefined {
    const known = methods.get(path) ?? [];
    if (known.length === 0) {
      if (methods.size === mostMethods) return undefined;
      methods.set(path, known);
    }
    const one = nothingUsual(neighbours);
    known.push(one);
    return one;
  }

  return {
    of: (path, picked) => find(path, picked)?.ms ?? 0,
    took(path, ms, picked) {
      const known = find(path, picked) ?? add(path, picked);
      if (known !== undefined) took(known, ms, picked.seen);
    },
  };
}
