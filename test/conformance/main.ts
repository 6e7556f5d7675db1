import { readOptions, setupArgs, usage, type Options } from "./options.ts";
import { runSuite, type Count } from "./runner.ts";
import { installSuite } from "./suite.ts";

/** `npm run conformance -- [options]`: see `usage` in options.ts, and README.md for what each option proves. */
async function main(args: readonly string[]): Promise<number> {
  let options: Options | "help";
  try {
    options = readOptions(args);
  } catch (error) {
    process.stderr.write(`${messageOf(error)}\n\n${usage}`);
    return 2;
  }
  if (options === "help") {
    process.stdout.write(usage);
    return 0;
  }
  try {
    await installSuite();
    const { passed, failed } = await runAll(options);
    process.stdout.write(`${passed} passed, ${failed} failed\n`);
    return failed === 0 && passed > 0 ? 0 : 1;
  } catch (error) {
    process.stderr.write(`${messageOf(error)}\n`);
    return 2;
  }
}

/** Runs the setups in turn up to the first with a failed case, or all of them with --keep-going; gives the sum. */
async function runAll(options: Options): Promise<Count> {
  let sum: Count = { passed: 0, failed: 0 };
  for (const setup of options.setups) {
    process.stdout.write(`conformance ${setupArgs(setup).join(" ")}\n`);
    const { passed, failed } = await runSuite(setup, options);
    sum = { passed: sum.passed + passed, failed: sum.failed + failed };
    if (options.setups.length > 1) process.stdout.write(`  ${passed} of ${passed + failed} passed\n`);
    if (failed > 0 && !options.keepGoing) break;
  }
  return sum;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

process.exitCode = await main(process.argv.slice(2));
