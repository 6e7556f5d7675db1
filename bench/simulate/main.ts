import { writeFileSync } from "node:fs";
import { packagePath } from "../../cli/serve/root.ts";
import { table } from "../../cli/table.ts";
import { type Options, readOptions, usage } from "./options.ts";
import { compared, page } from "./page.ts";
import { plot } from "./plot.ts";
import { daysGrid, detail, type Grid, summary } from "./report.ts";
import { simulate } from "./simulate.ts";
import { aims } from "./verdict.ts";

/** `npm run simulate -- [options]`: see `usage`. Exits 0, or 2 if nothing could be simulated. */
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
  const simulated = await simulate(options, (what) => process.stderr.isTTY && process.stderr.write(`\r\u001b[K${what} ...`));
  if (process.stderr.isTTY) process.stderr.write("\r\u001b[K");
  for (const { name, what } of simulated.scenarios) console.log(`${name}: ${what}\n\n${shown(detail(simulated, name))}\n`);
  console.log(`${shown(summary(simulated))}\n\n${shown(daysGrid(simulated))}\n`);
  console.log(shown(aims(simulated, simulated.strategies.map(({ name }) => name).filter((name) => compared.includes(name)))));
  if (options.json !== undefined) writeFileSync(options.json, `${JSON.stringify(simulated, null, 2)}\n`);
  if (options.quick) return 0;
  writeFileSync(packagePath("docs/simulation.md"), page(simulated));
  writeFileSync(packagePath("docs/images/simulation.svg"), plot(simulated, "six minutes"));
  console.log("\nwritten to docs/simulation.md and docs/images/simulation.svg");
  return 0;
}

function shown({ head, rows }: Grid): string {
  return table(head, rows, head.slice(1).map((_, i) => i + 1));
}

process.exitCode = await main(process.argv.slice(2));
