import { execFile, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import { mkdir, rename } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { promisify } from "node:util";

const run = promisify(execFile);

/** The first release of Go that builds the origin. */
const oldestGo = { major: 1, minor: 24 };
const source = join(import.meta.dirname, "origin");
const cache = join(process.env["XDG_CACHE_HOME"] || join(homedir(), ".cache"), "fairlead", `protojson-${digestOf(source)}`);
const program = join(cache, "origin");

/** The service that the origin has, and all its types (a FileDescriptorSet). */
export const descriptors = join(import.meta.dirname, "data/echo.binpb");

export interface Running {
  /** `http://127.0.0.1:PORT`. */
  readonly url: string;
  stop(): Promise<void>;
}

/**
 * Builds the echo origin where it is missing, with Go and its module proxy; from then on neither is needed.
 * Throws an Error that says what to do when Go is missing or too old, before anything is written.
 */
export async function installOrigin(): Promise<void> {
  if (existsSync(program)) return;
  await checkGo();
  await mkdir(cache, { recursive: true });
  process.stderr.write(`building the echo origin in ${cache}\n`);
  await run("go", ["build", "-C", source, "-mod=readonly", "-o", `${program}.new`, "."]);
  await rename(`${program}.new`, program);
}

/** Starts an echo origin on a free port of the loopback address; it ends when this process does. */
export async function startOrigin({ protoOnly }: { readonly protoOnly: boolean }): Promise<Running> {
  const child = spawn(program, ["--descriptors", descriptors, ...(protoOnly ? ["--proto-only"] : [])], { stdio: ["pipe", "pipe", "inherit"] });
  const exited = once(child, "exit");
  for await (const port of createInterface({ input: child.stdout })) {
    return {
      url: `http://127.0.0.1:${port}`,
      stop: async () => {
        child.stdin.end();
        await exited;
      },
    };
  }
  throw new Error("the echo origin ended before it listened");
}

function digestOf(folder: string): string {
  const hash = createHash("sha256");
  for (const file of ["main.go", "go.mod", "go.sum"]) hash.update(readFileSync(join(folder, file)));
  return hash.digest("hex").slice(0, 12);
}

async function checkGo(): Promise<void> {
  const needed = `Go ${oldestGo.major}.${oldestGo.minor} or newer`;
  const found = await run("go", ["env", "GOVERSION"]).then(
    ({ stdout }) => stdout.trim(),
    () => undefined,
  );
  if (found === undefined) throw new Error(`Cannot build the echo origin as ${needed} must be on the PATH: none is`);
  const [, major, minor] = /^go(\d+)\.(\d+)/.exec(found) ?? [];
  const enough = Number(major) > oldestGo.major || (Number(major) === oldestGo.major && Number(minor) >= oldestGo.minor);
  if (!enough) throw new Error(`Cannot build the echo origin as ${needed} must be on the PATH: current version is ${found}`);
}
