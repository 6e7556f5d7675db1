import type { Picked } from "../core/balance/pick.ts";
import { nothingUsual, took, type Usual } from "../core/balance/usual.ts";

/** How long calls of each method usually take in this isolate. */
export interface Usuals {
  /** The time that 95 of 100 good ones do not exceed, in milliseconds; 0 where nobody knows. */
  of(path: string): number;
  took(path: string, ms: number, picked: Picked): void;
}

/** Methods are made up by callers where a route takes a prefix: no more are remembered. */
const mostMethods = 1000;

export function usuals(): Usuals {
  const methods = new Map<string, Usual>();
  return {
    of: (path) => methods.get(path)?.ms ?? 0,
    took(path, ms, picked) {
      let known = methods.get(path);
      if (known === undefined) {
        if (methods.size === mostMethods) return;
        methods.set(path, (known = nothingUsual()));
      }
      took(known, ms, picked);
    },
  };
}
