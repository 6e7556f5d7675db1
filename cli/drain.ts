import { Command } from "commander";
import { keysAbove } from "../worker/core/balance/endpoint-key.ts";
import type { CompiledCluster } from "../worker/core/config/compiled.ts";
import { decodeOverrides, encodeOverrides } from "../worker/core/health/codec.ts";
import type { Drain } from "../worker/core/health/overrides.ts";
import { overridesKey } from "../worker/health/documents.ts";
import type { Store } from "../worker/proxy/ports.ts";
import { check } from "./config/check.ts";
import { formatIssues } from "./config/issue.ts";
import { nearest } from "./config/suggest.ts";
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
      if (target === undefined) return list(await drainsIn(store));
      if (!isTarget(target, options)) return;
      const rest = (await drainsIn(store)).filter((drain) => drain.target !== target);
      await put(store, [...rest, { target, reason: options.reason, since: Date.now() }]);
      console.log(`${target}: drained`);
    });
  const undrain = placed(new Command("undrain"))
    .description("Let what was drained get calls again.")
    .argument("[target]", "as it was drained")
    .option("--all", "everything, and whatever else the document holds")
    .action(async (target: string | undefined, options: Place & { readonly all?: true }) => {
      const store = storeOf(options);
      if (options.all === true) return put(store, []);
      const drains = await drainsIn(store);
      const rest = drains.filter((drain) => drain.target !== target);
      if (rest.length === drains.length) throw new Error(`Cannot undrain "${target ?? ""}" as the target must be drained: ${drains.length === 0 ? "nothing is" : `drained are ${drains.map((drain) => drain.target).join(", ")}`}`);
      await put(store, rest);
      console.log(`${target}: not drained any more`);
    });
  return [drain, undrain];
}

/** Whether the config has what is to be drained; says so where it has not. */
function isTarget(target: string, { config: file, env, wrangler }: Place): boolean {
  const { config, issues } = check(file, { env, wrangler });
  if (config === undefined) {
    console.error(formatIssues(issues));
    process.exitCode = 1;
    return false;
  }
  const targets = new Set(config.clusters.flatMap(targetsOf));
  if (targets.has(target)) return true;
  const meant = nearest(target, targets);
  throw new Error(`Cannot drain "${target}" as it must be a cluster, a region or an endpoint of ${file}${meant === undefined ? "" : `: did you mean "${meant}"?`}`);
}

function targetsOf({ name, localities }: CompiledCluster): string[] {
  return localities.flatMap(({ region, endpoints }) => endpoints.flatMap((endpoint) => keysAbove(name, region, endpoint)));
}

async function drainsIn(store: Store): Promise<readonly Drain[]> {
  const read = decodeOverrides(await store.get(overridesKey));
  if ("value" in read) return read.value.drains;
  if (read.none === "missing") return [];
  throw new Error(`Cannot change what is drained as the document "${overridesKey}" must be readable: it is ${read.none}. "fairlead undrain --all" writes it anew`);
}

function put(store: Store, drains: readonly Drain[]): Promise<void> {
  return store.put(overridesKey, encodeOverrides({ writtenAt: Date.now(), drains }));
}

function list(drains: readonly Drain[]): void {
  if (drains.length === 0) console.log("nothing is drained");
  else console.log(table(["drained", "since", "reason"], drains.map(({ target, reason, since }) => [target, new Date(since).toISOString(), reason])));
}
