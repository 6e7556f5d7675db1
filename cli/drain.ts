import { Command } from "commander";
import { keysAbove } from "../worker/core/balance/endpoint-key.ts";
import type { CompiledCluster } from "../worker/core/config/compiled.ts";
import type { Drain } from "../worker/core/health/overrides.ts";
import { decidedIn, isTarget, nothingDecided, put } from "./overrides.ts";
import { type Place, placed, storeOf } from "./store/place.ts";
import { table } from "./table.ts";

/** `fairlead drain` and `fairlead undrain`: which clusters, regions and endpoints get no new call. */
export function drainCommands(): Command[] {
  const drain = placed(new Command("drain"))
    .description("Give a cluster, a region of it or an endpoint no new call, within about two minutes everywhere. Without a target: list what is drained.")
    .argument("[target]", "CLUSTER, CLUSTER/REGION or CLUSTER/REGION/URL")
    .option("--reason <text>", "why; shown wherever the drain is", "")
    .action(async (target: string | undefined, options: Place & { readonly reason: string }) => {
      const store = storeOf(options);
      if (target === undefined) return list((await decidedIn(store)).drains);
      if (!isTarget("drain", "a cluster, a region or an endpoint", target, targetsOf, options)) return;
      const decided = await decidedIn(store);
      const rest = decided.drains.filter((drain) => drain.target !== target);
      await put(store, { ...decided, drains: [...rest, { target, reason: options.reason, since: Date.now() }] });
      console.log(`${target}: drained`);
    });
  const undrain = placed(new Command("undrain"))
    .description("Let what was drained get calls again.")
    .argument("[target]", "as it was drained")
    .option("--all", "everything that is drained; a document that cannot be read is written anew, without weights")
    .action(async (target: string | undefined, options: Place & { readonly all?: true }) => {
      const store = storeOf(options);
      if (options.all === true) return put(store, { ...(await decidedIn(store).catch(() => nothingDecided)), drains: [] });
      const { drains, weights } = await decidedIn(store);
      const rest = drains.filter((drain) => drain.target !== target);
      if (rest.length === drains.length) throw new Error(`Cannot undrain "${target ?? ""}" as the target must be drained: ${drains.length === 0 ? "nothing is" : `drained are ${drains.map((drain) => drain.target).join(", ")}`}`);
      await put(store, { drains: rest, weights });
      console.log(`${target}: not drained any more`);
    });
  return [drain, undrain];
}

function targetsOf({ name, localities }: CompiledCluster): string[] {
  return localities.flatMap(({ region, endpoints }) => endpoints.flatMap((endpoint) => keysAbove(name, region, endpoint)));
}

function list(drains: readonly Drain[]): void {
  if (drains.length === 0) console.log("nothing is drained");
  else console.log(table(["drained", "since", "reason"], drains.map(({ target, reason, since }) => [target, new Date(since).toISOString(), reason])));
}
