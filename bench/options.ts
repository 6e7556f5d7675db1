import { parseArgs } from "node:util";

export const usage = `usage: npm run bench -- [options]

Measures the proxy on workerd beside the cheapest Worker that forwards a call, on this machine (Linux).

  --rounds N      how often each case has its turn; default 7
  --seconds N     how long a turn is; default 2
  --starts N      how often each Worker is started to learn what its evaluation costs; default 15
  --only PART     unary, auth, streams, bundle, evaluation, picker or memory; may be repeated; default all
  --help

Prints the figures, and writes them to bench/results/DATE.md where all parts ran. Exits 1 if one is over its bar.
`;

const parts = ["unary", "auth", "streams", "bundle", "evaluation", "picker", "memory"] as const;
export type Part = (typeof parts)[number];

export interface Options {
  readonly rounds: number;
  readonly seconds: number;
  readonly starts: number;
  readonly parts: readonly Part[];
}

/** Reads the command line; gives "help" where help is asked for. Throws an Error that says what is wrong with it. */
export function readOptions(args: readonly string[]): Options | "help" {
  const { values } = parseArgs({
    args: [...args],
    options: {
      rounds: { type: "string", default: "7" },
      seconds: { type: "string", default: "2" },
      starts: { type: "string", default: "15" },
      only: { type: "string", multiple: true, default: [...parts] },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) return "help";
  return {
    rounds: atLeast("rounds", values.rounds, 1),
    seconds: atLeast("seconds", values.seconds, 0.1),
    starts: atLeast("starts", values.starts, 1),
    parts: values.only.map((name) => {
      const part = parts.find((p) => p === name);
      if (part === undefined) throw new Error(`Cannot use --only as it must be one of ${parts.join(", ")}: current value is ${name}`);
      return part;
    }),
  };
}

function atLeast(name: string, text: string, least: number): number {
  const value = Number(text);
  if (!(value >= least)) throw new Error(`Cannot use --${name} as it must be a number of at least ${least}: current value is ${text}`);
  return value;
}
