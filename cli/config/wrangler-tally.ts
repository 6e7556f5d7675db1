import type { Config } from "../../gen/fairlead/config/v1/config_pb.js";
import type { Report } from "./report.ts";
import { didYouMean } from "./suggest.ts";
import type { MapTree } from "./tree.ts";

/** What is `shared` needs the Durable Objects that count for all isolates; `objects` are the classes that are bound, by the names of their bindings. */
export function checkTally(where: string, objects: ReadonlyMap<unknown, unknown>, { config, tree, report }: { config: Config; tree: MapTree; report: Report }): void {
  const bound = objects.get("FAIRLEAD_TALLY");
  if (bound === "Tally") return;
  const now = bound === undefined ? didYouMean("FAIRLEAD_TALLY", [...objects.keys()].map(String)) : `: current value is ${JSON.stringify(bound)}`;
  const message = `needs [[durable_objects.bindings]] with name = "FAIRLEAD_TALLY" and class_name = "Tally" in ${where}, for the objects that count for all isolates${now}`;
  for (const [name, { circuitBreaker }] of Object.entries(config.clusters)) if (circuitBreaker?.shared === true) report.of(tree, ["clusters", name, "circuit_breaker", "shared"], message);
  for (const [name, { shared }] of Object.entries(config.auth?.rateLimits ?? {})) if (shared) report.of(tree, ["auth", "rate_limits", name, "shared"], message);
}
