import { didYouMean } from "./suggest.ts";

/** What to say of a name that is not among those that there are. */
export function unknown(noun: string, name: string, names: readonly string[]): string {
  return `unknown ${noun} "${name}"${didYouMean(name, names) || `: ${names.length === 0 ? "there is none" : `must be one of ${names.join(", ")}`}`}`;
}
