import { type Called, policyFinder } from "../../worker/core/auth/policy.ts";
import type { CompiledMatch } from "../../worker/core/config/compiled.ts";
import { type CompiledPolicy, schemaSource } from "../../worker/core/config/compiled-auth.ts";

/** What holds for a method, and what the schema says of it that does not hold. */
export interface Held {
  readonly policy: CompiledPolicy | undefined;
  readonly hidden: CompiledPolicy | undefined;
}

/** A name that nothing names. */
export const elsewhere: Called = { host: null, basePath: null };

/** Finds what holds for a method as the proxy finds it. */
export function heldBy(policies: readonly CompiledPolicy[]): (method: string, called: Called) => Held {
  const finder = policyFinder(policies);
  const inSchema = policyFinder(policies.filter(({ source }) => source === schemaSource));
  return (method, called) => {
    const policy = finder(method, called);
    const said = inSchema(method, called);
    return { policy, hidden: said === policy ? undefined : said };
  };
}

/** Whether a match is for a method. */
export function takes({ kind, path }: Pick<CompiledMatch, "kind" | "path">, method: string): boolean {
  return kind === "method" ? path === method : method.startsWith(path);
}
