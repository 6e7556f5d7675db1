import { readFileSync, existsSync } from "node:fs";
import { dirname, isAbsolute, join } from "node:path";
import { ConfigSchema } from "../../gen/fairlead/config/v1/config_pb.js";
import type { CompiledConfig } from "../../worker/core/config/compiled.ts";
import { compile } from "./compile.ts";
import { readDescriptors } from "./descriptors.ts";
import { formatPath, type Issue } from "./issue.ts";
import { checkReferences } from "./references.ts";
import { createReport, type Report } from "./report.ts";
import { readConfig } from "./rules.ts";
import { shapeMessage } from "./shape.ts";
import { didYouMean } from "./suggest.ts";
import { type MapTree, merge, type Tree } from "./tree.ts";
import { checkWrangler } from "./wrangler.ts";
import { parseYaml } from "./yaml.ts";

export interface CheckOptions {
  /** The overlay to merge over the file: a name under `environments`. */
  readonly env?: string | undefined;
  /** The wrangler.toml to compare with. Default: the one beside the file, if there is one. */
  readonly wrangler?: string | undefined;
}

export interface Checked {
  /** Everything that is to be said of the file, in no order. */
  readonly issues: readonly Issue[];
  /** Undefined if an issue is an error. */
  readonly config: CompiledConfig | undefined;
  /** The files that were read or missed: when one changes, so may the answer. */
  readonly inputs: readonly string[];
}

/**
 * Reads, checks and compiles a config file. Nothing throws: what is wrong is in `issues`, all of it, with paths
 * relative to where the file was named from. Descriptors are found relative to the file.
 */
export function check(file: string, { env, wrangler }: CheckOptions = {}): Checked {
  const report = createReport(file);
  const inputs = [file];
  const done = (config?: CompiledConfig): Checked => ({
    issues: report.issues,
    config: report.issues.some(({ severity }) => severity === "error") ? undefined : config,
    inputs,
  });
  const whole = readTree(file, report);
  if (whole === undefined) return done();
  const tree = overlay(shapeMessage(whole, ConfigSchema, [], report), env, report);

  const config = readConfig(tree, report);
  if (config === undefined) return done();
  const files = config.descriptors.map((path) => isAbsolute(path) ? path : join(dirname(file), path));
  inputs.push(...files);
  const descriptors = readDescriptors(files);
  for (const { index, severity, message } of descriptors.problems) report.of(tree, ["descriptors", index], message, { severity });
  const complete = descriptors.problems.every(({ severity }) => severity === "warning");
  checkReferences({ config, tree, registry: descriptors.registry, complete, report });

  const beside = join(dirname(file), "wrangler.toml");
  const compared = wrangler ?? (existsSync(beside) ? beside : undefined);
  if (compared !== undefined) {
    inputs.push(compared);
    checkWrangler(compared, env, { config, tree, report });
  }
  return report.issues.some(({ severity }) => severity === "error") ? done() : done(compile(config, descriptors));
}

function readTree(file: string, report: Report): Tree | undefined {
  const whole = (line: number, col: number, message: string) => report.elsewhere({ severity: "error", file, at: { line, col }, path: "", message });
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (error) {
    const missing = (error as NodeJS.ErrnoException).code === "ENOENT";
    return void whole(1, 1, `must be a file that can be read: ${missing ? "it does not exist" : String(error)}`);
  }
  const { tree, problems } = parseYaml(text);
  for (const { at, path, message } of problems) report.elsewhere({ severity: "error", file, at, path: formatPath(path), message });
  return tree;
}

/** The tree with an environment merged over it. */
function overlay(tree: MapTree, env: string | undefined, report: Report): MapTree {
  const environments = tree.entries.get("environments")?.value;
  const overlays = environments?.kind === "map" ? environments.entries : new Map<string, never>();
  for (const [name, { value }] of overlays) {
    if (value.kind === "map" && value.entries.has("environments")) {
      report.of(tree, ["environments", name, "environments"], "an environment cannot hold environments", { key: true });
    }
  }
  const base: MapTree = { ...tree, entries: new Map([...tree.entries].filter(([key]) => key !== "environments")) };
  if (env === undefined) return base;
  const over = overlays.get(env)?.value;
  if (over === undefined) {
    const names = [...overlays.keys()];
    report.of(tree, ["environments"], `must have "${env}", which --env names${didYouMean(env, names) || `: there ${names.length === 0 ? "is none" : `are ${names.join(", ")}`}`}`, { key: true });
    return base;
  }
  return over.kind === "map" ? merge(base, over, ConfigSchema) : base;
}
