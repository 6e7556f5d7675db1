import { Command } from "commander";
import { keysAbove } from "../worker/core/balance/endpoint-key.ts";
import type { CompiledCluster } from "../worker/core/config/compiled.ts";
import { mostWeight, type WeightOverride } from "../worker/core/health/overrides.ts";
import { decidedIn, isTarget, put } from "./overrides.ts";
import { type Place, placed, storeOf } from "./store/place.ts";
import { table } from "./table.ts";

/** `fairlead weigh`: weights of regions and endpoints in the place of the config's. */
export function weighCommand(): Command {
  return placed(new Command("weigh"))
    .description("Give a region or an endpoint another weight than the config's, within about two minutes everywhere. Without a target: list such weights.")
    .argument("[target]", "CLUSTER/REGION or CLUSTER/REGION/URL")
    .argument("[weight]", `0 (no share) to ${mostWeight}, or null: the config's again`)
    .action(async (target: string | undefined, text: string | undefined, options: Place) => {
      const store = storeOf(options);
      if (target === undefined) return list((await decidedIn(store)).weights);
      const weight = readWeight(text);
      // What the config has lost can still be lifted.
      if (weight !== null && !isTarget("weigh", "a region or an endpoint", target, targetsOf, options)) return;
      const { drains, weights } = await decidedIn(store);
      const rest = weights.filter((one) => one.target !== target);
      if (weight === null && rest.length === weights.length) throw new Error(`Cannot lift the weight of "${target}" as it must have been set: ${weights.length === 0 ? "none is" : `set are those of ${weights.map((one) => one.target).join(", ")}`}`);
      await put(store, { drains, weights: weight === null ? rest : [...rest, { target, weight, since: Date.now() }] });
      console.log(weight === null ? `${target}: weighs what the config says` : `${target}: weighs ${weight}`);
    });
}

function readWeight(text: string | undefined): number | null {
  if (text === "null") return null;
  if (text !== undefined && /^\d{1,7}$/.test(text) && Number(text) <= mostWeight) return Number(text);
  throw new Error(`Cannot weigh it as the weight must be a whole number from 0 to ${mostWeight}, or null: current value is ${text ?? "missing"}`);
}

function targetsOf({ name, localities }: CompiledCluster): string[] {
  return localities.flatMap(({ region, endpoints }) => endpoints.flatMap((endpoint) => keysAbove(name, region, endpoint).slice(1)));
}

function list(weights: readonly WeightOverride[]): void {
  if (weights.length === 0) console.log("all weigh what the config says");
  else console.log(table(["weighed", "weight", "since"], weights.map(({ target, weight, since }) => [target, String(weight), new Date(since).toISOString()]), [1]));
}
