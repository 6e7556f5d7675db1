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
 * Cases of the client side that lose a race inside the origin, whatever stands before it. The suite's gRPC server
 * writes its headers after the first message; if the next has not come by then, Go's HTTP/1.1 server has closed the
 * request's body ("http: invalid Read on closed Body"). A gap of 5 ms between two chunks is enough.
 */
const racy = "**/(grpc server impl)/bidi-stream/half-duplex/**";
const racyAttempts = 4;

/**
 * Runs the suite over one setup and shows what its runner says but for the count. Of the racy cases, those that failed
 * run again, and count as passed if they pass then. Throws an Error when the runner ends without a count.
 */
export async function runSuite(setup: Setup, { patterns, trace }: Options): Promise<Count> {
  const folder = await mkdtemp(join(tmpdir(), "fairlead-conformance-"));
  const features = join(folder, "features.yaml");
  await writeFile(features, featuresYaml({ protocols: setup.text ? ["PROTOCOL_GRPC_WEB"] : ["PROTOCOL_CONNECT", "PROTOCOL_GRPC_WEB"] }));
  const run = (only: readonly string[]): Promise<Counted> => countedRun(["--conf", features, ...runnerArgs(setup, only, trace)]);
  try {
    let last = await run(patterns);
    let { passed, failed } = last;
    for (let attempt = 2; attempt <= racyAttempts && last.lostRaces.length > 0; attempt++) {
      last = await run(last.lostRaces);
      passed += last.passed;
      failed += last.failed;
    }
    return { passed, failed: failed + last.lostRaces.length };
  } finally {
    await rm(folder, { recursive: true });
  }
}

function runnerArgs(setup: Setup, patterns: readonly string[], trace: boolean): string[] {
  return [
    ...(setup.side === "server" ? ["--mode", "server", "-p", String(parallelism)] : ["--mode", "client", "--known-flaky", racy]),
    ...patterns.flatMap((pattern) => ["--run", pattern]),
    ...(trace ? ["--trace"] : []),
    "--",
    process.execPath,
    join(import.meta.dirname, `${setup.side}.ts`),
    ...setupArgs(setup),
  ];
}

interface Counted extends Count {
  /** Names of the racy cases that failed, which count as neither. */
  readonly lostRaces: readonly string[];
}

async function countedRun(args: readonly string[]): Promise<Counted> {
  const runner = spawn(suite.connectconformance, args, { stdio: ["ignore", "pipe", "inherit"] });
  const exited = new Promise<number | null>((resolve) => runner.once("close", resolve));
  const lostRaces: string[] = [];
  let count: Count | undefined;
  let couldNotRun = 0;
  for await (const line of createInterface({ input: runner.stdout })) {
    const [, passed, failed] = /^(\d+) passed, (\d+) failed$/.exec(line) ?? [];
    if (passed === undefined) process.stdout.write(`${line}\n`);
    else count = { passed: Number(passed), failed: Number(failed) };
    couldNotRun += Number(/^Another (\d+) could not be run/.exec(line)?.[1] ?? 0);
    const lost = /^INFO: (.+) failed \(as expected\):$/.exec(line)?.[1];
    if (lost !== undefined) lostRaces.push(lost);
  }
  const status = await exited;
  if (count === undefined) throw new Error(`the suite's runner ended without a count: exit status ${status}`);
  return { passed: count.passed, failed: count.failed + couldNotRun, lostRaces };
}
