import { fileURLToPath } from "node:url";

/** A path of this package, by its path from the package's root. */
export function packagePath(path: string): string {
  return fileURLToPath(new URL(`../../${path}`, import.meta.url).href);
}
