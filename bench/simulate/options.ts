import { parseArgs } from "node:util";

export const usage = `usage: npm run simulate -- [options]

Runs a fleet of the proxy in virtual time against origins that fail, once for each strategy, and writes
docs/simulation.md and docs/images/simulation.svg.

  --quick     a tenth of the fleet and three scenarios, and nothing is written
  --seed N    another fleet, other calls; default 1
  --json FILE keeps the figures
  --help

Exits 0; 2 if nothing could be simulated.
`;

export interface Options {
  readonly quick: boolean;
  readonly seed: number;
  readonly json: string | undefined;
}

/** Reads the command line. Throws an Error that says what is wrong with it. */
export function readOptions(args: readonly string[]): Options | "help" {
  const { values } = parseArgs({
    args: [...args],
    options: { quick: { type: "boolean", default: false }, seed: { type: "string", default: "1" }, json: { type: "string" }, help: { type: "boolean", default: false } },
  });
  if (values.help) return "help";
  const seed = Number(values.seed);
  if (!Number.isInteger(seed) || seed < 0) throw new Error(`Cannot use --seed as it must be a whole number of at least 0: current value is ${values.seed}`);
  return { quick: values.quick, seed, json: values.json };
}
