import type { CompiledConfig } from "../worker/core/config/compiled.ts";
import { check, type CheckOptions } from "./config/check.ts";
import { formatIssues } from "./config/issue.ts";

/** The compiled config of a file. @throws Error, with every issue, if it is bad. */
export function configured(file: string, options: CheckOptions): CompiledConfig {
  const { config, issues } = check(file, options);
  if (config === undefined) throw new Error(formatIssues(issues));
  return config;
}
