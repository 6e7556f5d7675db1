import { spawn } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { featuresYaml } from "./features.ts";
import { setupArgs, type Options, type Setup } from "./options.ts";
import { suite } from "./suite.ts";

export interface Count {
  readonly passed: number;
  /** With those that could not be run, for an early end of the caller or the server. */
  readonly failed: number;
}

/** Calls at once: enough to let them meet in one isolate, few enough that two cores keep the suite's time limits. */
const parallelism = 4;

/**
 * Runs the suite over one setup and shows what its runner says but for the count. Throws an Error when the runner
 * ends without one.
 */
export async function runSuite(setup: Setup, { patterns, trace }: Options): Promise<Count> {
  const folder = await mkdtemp(join(tmpdir(), "fairlead-conformance-"));
  const features = join(folder, "features.yaml");
  await writeFile(features, featuresYaml({ protocols: setup.text ? ["PROTOCOL_GRPC_WEB"] : ["PROTOCOL_CONNECT", "PROTOCOL_GRPC_WEB"] }));
  try {
    return await countedRun([
      "--mode",
      setup.side,
      "--conf",
      features,
      ...(setup.side === "server" ? ["-p", String(parallelism)] : []),
      ...patterns.flatMap((pattern) => ["--run", pattern]),
      ...(trace ? ["--trace"] : []),
      "--",
      process.execPath,
      join(import.meta.dirname, `${setup.side}.ts`),
      ...setupArgs(setup),
    ]);
  } finally {
    await rm(folder, { recursive: true });
  }
}

async function countedRun(args: readonly string[]): Promise<Count> {
  const runner = spawn(suite.connectconformance, args, { stdio: ["ignore", "pipe", "inherit"] });
  const exited = new Promise<number | null>((resolve) => runner.once("close", resolve));
  let count: Count | undefined;
  for await (const line of createInterface({ input: runner.stdout })) {
    const [, passed, failed] = /^(\d+) passed, (\d+) failed$/.exec(line) ?? [];
    const [, lost] = /^Another (\d+) could not be run/.exec(line) ?? [];
    if (passed !== undefined) count = { passed: Number(passed), failed: Number(failed) };
    else process.stdout.write(`${line}\n`);
    if (lost !== undefined && count !== undefined) count = { ...count, failed: count.failed + Number(lost) };
  }
  const status = await exited;
  if (count === undefined) throw new Error(`the suite's runner ended without a count: exit status ${status}`);
  return count;
}
