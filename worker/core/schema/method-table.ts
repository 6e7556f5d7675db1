import type { CompiledConfig, CompiledMethod } from "../config/compiled.ts";

/** What is known of each method, by path `/package.Service/Method`. */
export type MethodTable = ReadonlyMap<string, CompiledMethod>;

export function methodTable(config: Pick<CompiledConfig, "methods">): MethodTable {
  return new Map(config.methods.map((method) => [method.path, method]));
}
