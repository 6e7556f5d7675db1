import type { TomlTable } from "smol-toml";
import type { Config } from "../../gen/fairlead/config/v1/config_pb.js";
import type { Report } from "./report.ts";
import { didYouMean } from "./suggest.ts";
import type { MapTree } from "./tree.ts";

/** What is `shared` needs the Durable Objects that count for all isolates; `bindings` are those of `durable_objects`. */
export function checkTally(where: string, bindings: unknown, { config, tree, report }: { config: Config; tree: MapTree; report: Report }): void {
  const declared = Array.isArray(bindings) ? (bindings as TomlTable[]) : [];
  const bound = declared.find(({ name }) => name === "FAIRLEAD_TALLY");
  if (bound?.["class_name"] === "Tally") return;
  const names = declared.map(({ name }) => String(name));
  const now = bound === undefined ? didYouMean("FAIRLEAD_TALLY", names) : `: current value is ${JSON.stringify(bound["class_name"])}`;
  const message = `needs [[durable_objects.bindings]] with name = "FAIRLEAD_TALLY" and class_name = "Tally" in ${where}, for the objects that count for all isolates${now}`;
  for (const [name, { circuitBreaker }] of Object.entries(config.clusters)) if (circuitBreaker?.shared === true) report.of(tree, ["clusters", name, "circuit_breaker", "shared"], message);
  for (const [name, { shared }] of Object.entries(config.auth?.rateLimits ?? {})) if (shared) report.of(tree, ["auth", "rate_limits", name, "shared"], message);
}
