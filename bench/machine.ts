import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { cpus, loadavg, totalmem } from "node:os";
import { packagePath } from "../cli/serve/root.ts";

/** On what was measured, and what: one line each. */
export function machine(): string {
  const { version } = JSON.parse(readFileSync(packagePath("node_modules/workerd/package.json"), "utf8")) as { version: string };
  const processors = cpus();
  return [
    `- machine: ${processors.length} x ${processors[0]?.model ?? "unknown"}, ${(totalmem() / 2 ** 30).toFixed(0)} GiB, load ${loadavg()[0]?.toFixed(1)} at the end`,
    `- workerd ${version}, load from Node ${process.versions.node}`,
    `- commit: ${commit()}`,
  ].join("\n");
}

function commit(): string {
  const git = (...args: string[]) => execFileSync("git", args, { cwd: packagePath("."), encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }).trim();
  try {
    return `${git("rev-parse", "--short", "HEAD")}${git("status", "--porcelain", "worker") === "" ? "" : ", worker/ changed since"}`;
  } catch {
    return "unknown";
  }
}
