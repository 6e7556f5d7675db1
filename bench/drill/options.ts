import { parseArgs } from "node:util";
import { type Fault, faultAt, faults, type Method, methods, perSecond, type Proxy, returnAt, runtimes } from "./layout.ts";

export const usage = `usage: npm run drill -- --runtime RUNTIME --fault FAULT [options]
       npm run drill -- --proxy envoy (--fault FAULT | --all) [options]
       npm run drill -- --all [options]
       npm run drill -- --prove

Calls the proxy ${perSecond} times a second while the nearest of three places fails, from second ${faultAt} to second ${returnAt}.

  --runtime R       ${runtimes.join(" or ")}
  --fault F         refused (sockets are closed), blackhole (nothing is answered), unavailable (HTTP 503),
                    trailers-only (HTTP 200, status 14 in the trailer frame), gray (one endpoint: every second
                    call fails, the others take ten times as long)
  --proxy P         fairlead (the default) or envoy, which ENVOY_PATH or PATH must lead to, with two retries, outlier detection
                    and health checks; it has no runtime
  --all             the five faults on both runtimes (or on --runtime's, or on Envoy), one after another
  --method M        ${Object.keys(methods).join(", ")}; default idempotent
  --seconds N       how long callers call; default 44, at least ${returnAt + 6}
  --health-checks   the proxy probes each endpoint every 10 s; default: it learns from calls alone
  --json FILE       keeps the figures
  --prove           calls the origins directly, in every fault, and says whether they fail as they should
  --help

Exits 0, 1 if a bar is broken, 2 if nothing could be measured.
`;

/** One run. */
export interface Drill {
  readonly proxy: Proxy;
  readonly fault: Fault;
  readonly method: Method;
  readonly seconds: number;
  readonly healthChecks: boolean;
}

export interface Options {
  readonly drills: readonly Drill[];
  readonly json: string | undefined;
}

/** Reads the command line. Throws an Error that says what is wrong with it. */
export function readOptions(args: readonly string[]): Options | "prove" | "help" {
  const { values } = parseArgs({
    args: [...args],
    options: {
      runtime: { type: "string" },
      proxy: { type: "string", default: "fairlead" },
      fault: { type: "string" },
      method: { type: "string", default: "idempotent" },
      seconds: { type: "string", default: "44" },
      json: { type: "string" },
      all: { type: "boolean", default: false },
      "health-checks": { type: "boolean", default: false },
      prove: { type: "boolean", default: false },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) return "help";
  if (values.prove) return "prove";
  const method = oneOf("method", Object.keys(methods) as Method[], values.method);
  const seconds = Number(values.seconds);
  const least = returnAt + 6;
  if (!Number.isInteger(seconds) || seconds < least) throw new Error(`Cannot use --seconds as it must be a whole number of at least ${least}: current value is ${values.seconds}`);
  const envoy = oneOf("proxy", ["fairlead", "envoy"] as const, values.proxy) === "envoy";
  if (envoy && values.runtime !== undefined) throw new Error(`Cannot use --runtime with --proxy envoy, which has none: current value is ${values.runtime}`);
  const proxies: readonly Proxy[] = envoy ? ["envoy"] : values.all && values.runtime === undefined ? runtimes : [oneOf("runtime", runtimes, values.runtime)];
  const ofFaults = values.all && values.fault === undefined ? faults : [oneOf("fault", faults, values.fault)];
  const drills = proxies.flatMap((proxy) => ofFaults.map((fault) => ({ proxy, fault, method, seconds, healthChecks: envoy || values["health-checks"] })));
  return { drills, json: values.json };
}

function oneOf<T extends string>(name: string, allowed: readonly T[], value: string | undefined): T {
  const found = allowed.find((one) => one === value);
  if (found === undefined) throw new Error(`Cannot use --${name} as it must be one of ${allowed.join(", ")}: current value is ${value ?? "missing"}`);
  return found;
}
