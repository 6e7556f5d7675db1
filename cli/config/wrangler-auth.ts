import type { TomlTable } from "smol-toml";
import { requirementsIn } from "./check-requirements.ts";
import { durationMs } from "./duration.ts";
import type { Config } from "../../gen/fairlead/config/v1/config_pb.js";
import type { Report } from "./report.ts";
import { didYouMean } from "./suggest.ts";
import type { MapTree } from "./tree.ts";

export interface ForAuth {
  /** The file, or the part of it that counts, in words. */
  readonly where: string;
  /** Names of KV bindings. */
  readonly store: readonly string[];
  /** What `ratelimits` holds. */
  readonly limits: unknown;
  /** What `define` holds. */
  readonly defined: TomlTable | undefined;
}

/** Stored API keys need the KV; rate limits that name a binding need it, and it must count as they do; conditions need a Worker that has them. */
export function checkAuthBindings({ where, store, limits, defined }: ForAuth, { config, tree, report }: { config: Config; tree: MapTree; report: Report }): void {
  for (const [name, { apiKeys }] of Object.entries(config.auth?.providers ?? {})) {
    if (apiKeys?.stored !== true || store.includes("FAIRLEAD")) continue;
    report.of(tree, ["auth", "providers", name, "api_keys", "stored"], `needs [[kv_namespaces]] with binding = "FAIRLEAD" in ${where}, where the keys are${didYouMean("FAIRLEAD", store)}`);
  }
  for (const [name, { clientCertificates }] of Object.entries(config.auth?.providers ?? {})) {
    if ((clientCertificates?.trustedHeader ?? "") === "") continue;
    report.of(tree, ["auth", "providers", name, "client_certificates", "trusted_header"], `is anybody's to write on Cloudflare, where ${where} leads: leave it out there, and cf.tlsClientAuth tells of certificates`, { severity: "warning" });
  }
  for (const { require, path } of requirementsIn(config)) {
    if (require.condition === "" || String(defined?.["FAIRLEAD_CONDITIONS"]) !== "false") continue;
    report.of(tree, [...path, "condition"], `needs FAIRLEAD_CONDITIONS = "true" under [define] in ${where}: "false" builds a Worker without conditions`);
  }
  const declared = Array.isArray(limits) ? (limits as TomlTable[]) : [];
  const names = declared.map(({ name }) => String(name));
  for (const [name, { binding, calls, period }] of Object.entries(config.auth?.rateLimits ?? {})) {
    if (binding === "") continue;
    const path = ["auth", "rate_limits", name];
    const limit = declared.find((one) => one["name"] === binding);
    if (limit === undefined) {
      report.of(tree, [...path, "binding"], `must be a rate limiter that ${where} declares under [[ratelimits]]: current value is "${binding}"${didYouMean(binding, names)}`);
      continue;
    }
    const seconds = period === undefined ? 0 : durationMs(period) / 1000;
    const simple = limit["simple"] as { readonly limit?: unknown; readonly period?: unknown } | undefined;
    if (seconds !== 10 && seconds !== 60) report.of(tree, [...path, "period"], `must be 10s or 60s with a binding, which knows no other: current value is ${seconds}s`);
    else if (simple?.period !== seconds) report.of(tree, [...path, "period"], `must be the period of "${binding}" in ${where}, which is ${JSON.stringify(simple?.period)}: current value is ${seconds}s`);
    if (simple?.limit !== calls) report.of(tree, [...path, "calls"], `must be the limit of "${binding}" in ${where}, which is ${JSON.stringify(simple?.limit)}: current value is ${calls}`);
  }
}
