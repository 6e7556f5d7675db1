import { writeFileSync } from "node:fs";
import { type Options, readOptions, usage } from "./options.ts";
import { prove } from "./prove.ts";
import { report, summary } from "./report.ts";
import { run } from "./run.ts";
import { type Figures, tally } from "./tally.ts";
import { verdict } from "./verdict.ts";

/** `npm run drill -- [options]`: see `usage`. Exits 0, 1 if a bar is broken, 2 if nothing could be measured. */
async function main(args: readonly string[]): Promise<number> {
  let options: Options | "prove" | "help";
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
  if (options === "prove") return (await prove()) ? 0 : 1;
  const { drills, json } = options;
  const all: Figures[] = [];
  for (const drill of drills) {
    if (drills.length > 1) console.log(`${drill.fault} on ${drill.proxy} ...`);
    try {
      all.push(tally(drill, await run(drill)));
    } catch (error) {
      console.error(error instanceof Error ? error.message : String(error));
      return 2;
    }
    if (json !== undefined) writeFileSync(json, `${JSON.stringify(all, null, 2)}\n`);
  }
  const [first] = all;
  console.log(all.length === 1 && first !== undefined ? report(first) : summary(all));
  return all.every((figures) => verdict(figures).every(({ ok }) => ok)) ? 0 : 1;
}

process.exitCode = await main(process.argv.slice(2));
