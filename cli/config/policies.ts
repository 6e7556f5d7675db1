import type { CompiledPolicy } from "../../worker/core/config/compiled-auth.ts";
import { schemaSource } from "./compile-auth.ts";

/** Of a policy, what finds it. */
type Found = Pick<CompiledPolicy, "match" | "source">;

/** What holds for a method, and what the schema says of it that does not hold. */
export interface Held<Policy extends Found> {
  readonly policy: Policy | undefined;
  readonly hidden: Policy | undefined;
}

const order = { method: 0, service: 1, prefix: 2 } as const;

/** The policy of a method: of the config's the most specific, else the schema's. */
export function heldBy<Policy extends Found>(policies: readonly Policy[], method: string): Held<Policy> {
  const matching = policies.filter(({ match }) => takes(match, method));
  const schema = matching.find(({ source }) => source === schemaSource);
  const [rule] = matching.filter((policy) => policy !== schema).sort((a, b) => order[a.match.kind] - order[b.match.kind] || b.match.path.length - a.match.path.length);
  return rule === undefined ? { policy: schema, hidden: undefined } : { policy: rule, hidden: schema };
}

/** Whether a match is for a method. */
export function takes({ kind, path }: Found["match"], method: string): boolean {
  return kind === "method" ? path === method : method.startsWith(path);
}
