import { existsSync, readFileSync } from "node:fs";
import { parse, TomlError, type TomlTable } from "smol-toml";
import type { Config } from "../../gen/fairlead/config/v1/config_pb.js";
import type { Report } from "./report.ts";
import { didYouMean } from "./suggest.ts";
import type { MapTree } from "./tree.ts";
import { checkAuthBindings } from "./wrangler-auth.ts";
import { checkTally } from "./wrangler-tally.ts";

/** The kinds of binding that have fetch(), so that an endpoint can go through them. */
const fetchers = ["services", "vpc_services", "mtls_certificates"];

/**
 * Reports where wrangler.toml and the config disagree. In an environment, wrangler takes no bindings from the top
 * level (https://developers.cloudflare.com/workers/wrangler/configuration/#non-inheritable-keys), so where
 * [env.NAME] stands, only its own count.
 */
export function checkWrangler(file: string, env: string | undefined, { config, tree, report }: { config: Config; tree: MapTree; report: Report }): void {
  const read = readToml(file, report);
  if (read === undefined) return;
  const { text, top } = read;
  const inner = env === undefined ? undefined : table(table(top["env"])?.[env]);
  const where = inner === undefined ? file : `[env.${env}] of ${file}`;
  const declared = fetchers.flatMap((kind) => bindingNames((inner ?? top)[kind]));
  for (const [name, cluster] of Object.entries(config.clusters)) {
    for (const [i, { endpoints }] of cluster.localities.entries()) {
      for (const [j, { binding, clientCertificate }] of endpoints.entries()) {
        if (clientCertificate !== undefined) report.of(tree, ["clusters", name, "localities", i, "endpoints", j, "client_certificate"], `is for Deno alone, and a Worker with it does not start: take a binding of [[mtls_certificates]] in ${where} in its place`, { key: true });
        if (binding === "" || declared.includes(binding)) continue;
        const message = `must be a binding that ${where} declares under ${fetchers.join(", ")}: current value is "${binding}"${didYouMean(binding, declared)}`;
        report.of(tree, ["clusters", name, "localities", i, "endpoints", j, "binding"], message);
      }
    }
  }
  checkDate({ file, text, env }, inner, top, report);
  const store = bindingNames((inner ?? top)["kv_namespaces"]);
  checkAuthBindings({ where, store, limits: (inner ?? top)["ratelimits"], defined: table((inner ?? top)["define"]) }, { config, tree, report });
  const objects = objectsOf(inner ?? top);
  checkTally(where, objects, { config, tree, report });
  checkHealth({ where, store, crons: cronsOf(inner) ?? cronsOf(top) ?? [], objects }, { config, tree, report });
  if (table((inner ?? {})["cache"] ?? top["cache"])?.["enabled"] === true) {
    const line = lineOf(text, inner?.["cache"] === undefined ? "cache" : `env.${env}.cache`);
    const message = "must not be true on the default entrypoint: the cache answers before any caller is authenticated";
    report.elsewhere({ severity: "error", file, at: { line, col: 1 }, path: "cache.enabled", message });
  }
}

/** From this day on a Worker's request tells when its caller leaves: https://developers.cloudflare.com/workers/configuration/compatibility-flags/ */
const leavingIsToldFrom = "2026-11-17";

/** The date is inherited, too. */
function checkDate({ file, text, env }: { readonly file: string; readonly text: string; readonly env: string | undefined }, inner: TomlTable | undefined, top: TomlTable, report: Report): void {
  const own = inner?.["compatibility_date"];
  const date = own ?? top["compatibility_date"];
  if (typeof date !== "string" || date >= leavingIsToldFrom) return;
  const lines = text.split("\n");
  const from = own === undefined ? 0 : lines.findIndex((line) => line.replaceAll(/\s/g, "").startsWith(`[env.${env}]`));
  const line = lines.findIndex((each, i) => i >= from && each.trimStart().startsWith("compatibility_date")) + 1;
  const message = `should be ${leavingIsToldFrom} or later: before it, calls whose caller has left run on: current value is "${date}"`;
  report.elsewhere({ severity: "warning", file, at: { line: Math.max(line, 1), col: 1 }, path: "compatibility_date", message });
}

interface ForHealth {
  readonly where: string;
  /** Names of KV bindings. */
  readonly store: readonly string[];
  readonly crons: readonly unknown[];
  /** Classes of Durable Objects, by the names of their bindings. */
  readonly objects: ReadonlyMap<unknown, unknown>;
}

/** Probes need the cron of every minute, which is what the age of a health table is reckoned by, and the KV that keeps it. */
function checkHealth({ where, store, crons, objects }: ForHealth, { config, tree, report }: { config: Config; tree: MapTree; report: Report }): void {
  const probed = Object.keys(config.clusters).find((name) => config.clusters[name]?.healthCheck !== undefined);
  if (probed === undefined) return;
  const path = ["clusters", probed, "health_check"];
  if (!store.includes("FAIRLEAD")) report.of(tree, path, `needs [[kv_namespaces]] with binding = "FAIRLEAD" in ${where}, for the health table${didYouMean("FAIRLEAD", store)}`);
  if (!crons.includes("* * * * *")) report.of(tree, path, `needs [triggers] with crons = ["* * * * *"] in ${where}, for the probes: current value is ${JSON.stringify(crons)}`);
  const regional = Object.keys(config.clusters).find((name) => (config.clusters[name]?.healthCheck?.regions.length ?? 0) > 0);
  if (regional === undefined || objects.get("FAIRLEAD_PROBER") === "Prober") return;
  const names = [...objects.keys()].map(String);
  report.of(tree, ["clusters", regional, "health_check", "regions"], `needs [[durable_objects.bindings]] with name = "FAIRLEAD_PROBER" and class_name = "Prober" in ${where}, for the objects that probe there${didYouMean("FAIRLEAD_PROBER", names)}`);
}

function objectsOf(from: TomlTable): ReadonlyMap<unknown, unknown> {
  const bindings = table(from["durable_objects"])?.["bindings"];
  return new Map(Array.isArray(bindings) ? bindings.map((binding) => [table(binding)?.["name"], table(binding)?.["class_name"]]) : []);
}

/** Triggers, unlike bindings, are inherited. */
function cronsOf(from: TomlTable | undefined): readonly unknown[] | undefined {
  const crons = table(from?.["triggers"])?.["crons"];
  return Array.isArray(crons) ? crons : undefined;
}

function readToml(file: string, report: Report): { text: string; top: TomlTable } | undefined {
  const refuse = (line: number, col: number, message: string) => report.elsewhere({ severity: "error", file, at: { line, col }, path: "", message });
  if (!existsSync(file)) return void refuse(1, 1, "must be a file that can be read: it does not exist");
  try {
    const text = readFileSync(file, "utf8");
    return { text, top: parse(text) };
  } catch (error) {
    const at = error instanceof TomlError ? error : { line: 1, column: 1 };
    return void refuse(at.line, at.column, `must be TOML: ${String(error).split("\n")[0]}`);
  }
}

function table(value: unknown): TomlTable | undefined {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as TomlTable) : undefined;
}

function bindingNames(value: unknown): string[] {
  return Array.isArray(value) ? value.map((item) => table(item)?.["binding"]).filter((name) => typeof name === "string") : [];
}

/** The line of a table's header or of its inline form, 1 where neither is found. */
function lineOf(text: string, name: string): number {
  const last = name.split(".").at(-1);
  const lines = text.split("\n").map((line) => line.replaceAll(/\s/g, ""));
  const header = lines.findIndex((line) => line.startsWith(`[${name}]`));
  return Math.max(header === -1 ? lines.findIndex((line) => line.startsWith(`${last}=`) || line.startsWith(`${last}.enabled=`)) : header, 0) + 1;
}
