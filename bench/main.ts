import { mkdirSync, writeFileSync } from "node:fs";
import { packagePath } from "../cli/serve/root.ts";
import { measureAuth } from "./auth.ts";
import { measureBundle } from "./bundle.ts";
import { measureStreams, measureUnary } from "./cases.ts";
import { measureEvaluation } from "./evaluation.ts";
import { machine } from "./machine.ts";
import { measureMemory } from "./memory.ts";
import { type Options, readOptions, usage } from "./options.ts";
import { startOrigin } from "./origin.ts";
import { measurePicker } from "./picker.ts";
import { canMeasure } from "./process.ts";
import { report, type Results } from "./report.ts";

/** `npm run bench -- [options]`: see `usage`. Exits 0, 1 if a figure is over its bar, 2 if nothing could be measured. */
async function main(args: readonly string[]): Promise<number> {
  let options: Options | "help";
  try {
    options = readOptions(args);
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : String(error)}\n\n${usage}`);
    return 2;
  }
  if (options === "help") {
    console.log(usage);
    return 0;
  }
  if (!canMeasure) {
    console.error("Cannot measure CPU as the system must have /proc, as Linux does");
    return 2;
  }
  const { rounds, seconds, starts } = options;
  const results = await measure(options);
  const date = new Date().toISOString().slice(0, 10);
  const text = `# Bench ${date}\n\n${machine()}\n- ${rounds} rounds of ${seconds} s a case, in turn; CPU of the workerd process; medians of the rounds' ratios, least and most in parentheses; ${starts} starts\n\n${report(results)}`;
  console.log(text);
  if (Object.keys(results).length === 7) {
    const file = `bench/results/${date}.md`;
    mkdirSync(packagePath("bench/results"), { recursive: true });
    writeFileSync(packagePath(file), text);
    console.log(`written to ${file}`);
  }
  return text.includes(" OVER") ? 1 : 0;
}

async function measure(options: Options): Promise<Results> {
  const { parts, starts } = options;
  const origin = await startOrigin();
  try {
    return {
      ...(parts.includes("bundle") && { bundle: await measureBundle() }),
      ...(parts.includes("evaluation") && { evaluation: await measureEvaluation(starts) }),
      ...(parts.includes("unary") && { unary: await measureUnary(origin.url, options) }),
      ...(parts.includes("auth") && { auth: await measureAuth(origin.url, options) }),
      ...(parts.includes("streams") && { streams: await measureStreams(origin.url, options) }),
      ...(parts.includes("picker") && { picker: await measurePicker(options.rounds) }),
      ...(parts.includes("memory") && { memory: await measureMemory(origin.url) }),
    };
  } finally {
    origin.stop();
  }
}

process.exitCode = await main(process.argv.slice(2));
