import { parseArgs } from "node:util";

export const usage = `usage: npm run conformance -- [options]

Runs the Connect conformance suite against the proxy.

  --runtime workerd|deno            what the proxy runs on; default workerd
  --origin same|connect|grpc-web    what the origin is spoken to in; default same (the caller's own)
  --recode                          the origin takes protobuf alone, so JSON calls are recoded
  --text                            callers speak gRPC-Web in its text mode (base64)
  --side server|client              server: the suite's caller judges the proxy; client: the suite's misbehaving
                                    origins stand behind it (same protocol on both sides); default server
  --run PATTERN                     only the cases that match; may be repeated ("**/unary/**")
  --trace                           show the HTTP exchange of each failed case
  --keep-going                      go on to the next combination after one that failed
  --help

--runtime and --origin may be repeated: every combination runs, up to the first that fails.
Exits 0 if all cases passed, 1 if some failed, 2 if the suite could not be run.
`;

export type Runtime = "workerd" | "deno";
export type Origin = "same" | "connect" | "grpc-web";

/** What stands on the two sides of the proxy in one run. */
export interface Setup {
  readonly side: "server" | "client";
  readonly runtime: Runtime;
  readonly origin: Origin;
  readonly recode: boolean;
  readonly text: boolean;
}

export interface Options {
  /** One for each combination of runtime and origin, in the order given. */
  readonly setups: readonly Setup[];
  readonly patterns: readonly string[];
  readonly trace: boolean;
  readonly keepGoing: boolean;
}

/** Reads the command line; gives "help" where help is asked for. Throws an Error that says what is wrong with it. */
export function readOptions(args: readonly string[]): Options | "help" {
  const { values } = parseArgs({
    args: [...args],
    options: {
      runtime: { type: "string", multiple: true, default: ["workerd"] },
      origin: { type: "string", multiple: true, default: ["same"] },
      side: { type: "string", default: "server" },
      recode: { type: "boolean", default: false },
      text: { type: "boolean", default: false },
      run: { type: "string", multiple: true, default: [] },
      trace: { type: "boolean", default: false },
      "keep-going": { type: "boolean", default: false },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) return "help";
  const side = oneOf("side", values.side, ["server", "client"]);
  const { recode, text } = values;
  const setups = values.runtime.flatMap((runtime) =>
    values.origin.map((origin) => ({
      side,
      runtime: oneOf("runtime", runtime, ["workerd", "deno"]),
      origin: oneOf("origin", origin, ["same", "connect", "grpc-web"]),
      recode,
      text,
    })),
  );
  if (side === "client" && (recode || text || setups.some((setup) => setup.origin !== "same"))) {
    throw new Error("Cannot use --side client with --recode, --text or another --origin as both sides must speak the same");
  }
  return { setups, patterns: values.run, trace: values.trace, keepGoing: values["keep-going"] };
}

/** The command line that makes `readOptions` give this one setup. */
export function setupArgs(setup: Setup): string[] {
  const { side, runtime, origin, recode, text } = setup;
  return ["--side", side, "--runtime", runtime, "--origin", origin, ...(recode ? ["--recode"] : []), ...(text ? ["--text"] : [])];
}

/** The inverse of `setupArgs`, for the processes that the suite's runner starts. */
export function readSetup(args: readonly string[]): Setup {
  const options = readOptions(args);
  const setup = options === "help" ? undefined : options.setups[0];
  if (setup === undefined) throw new Error("Cannot start as no setup is given");
  return setup;
}

function oneOf<T extends string>(name: string, value: string, allowed: readonly T[]): T {
  const found = allowed.find((a) => a === value);
  if (found === undefined) throw new Error(`Cannot use --${name} as it must be one of ${allowed.join(", ")}: current value is ${value}`);
  return found;
}
