import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);

const version = "v1.0.5";
const module = `connectrpc.com/conformance@${version}`;
const programs = ["connectconformance", "referenceserver", "referenceclient"] as const;
/** The first release of Go that builds this version of the suite. */
const oldestGo = { major: 1, minor: 24 };

const cache = join(process.env["XDG_CACHE_HOME"] || join(homedir(), ".cache"), "fairlead", `conformance-${version}`);

/** Paths of the suite's programs, and of the descriptors of its service and messages (a FileDescriptorSet). */
export const suite = {
  connectconformance: join(cache, "connectconformance"),
  referenceserver: join(cache, "referenceserver"),
  referenceclient: join(cache, "referenceclient"),
  descriptors: join(cache, "conformance.binpb"),
};

/**
 * Builds what is missing of `suite`, with Go and its module proxy; from then on neither is needed.
 * Throws an Error that says what to do when Go is missing or too old.
 */
export async function installSuite(): Promise<void> {
  const missing = programs.filter((name) => !existsSync(suite[name]));
  if (missing.length === 0 && existsSync(suite.descriptors)) return;
  await checkGo();
  await mkdir(cache, { recursive: true });
  if (missing.length > 0) {
    process.stderr.write(`building ${missing.join(", ")} in ${cache}\n`);
    const packages = missing.map((name) => `connectrpc.com/conformance/cmd/${name}@${version}`);
    await run("go", ["install", ...packages], { env: { ...process.env, GOBIN: cache } });
  }
  const { stdout } = await run("go", ["mod", "download", "-json", module]);
  const { Dir } = JSON.parse(stdout) as { Dir: string };
  const buf = join(import.meta.dirname, "../../node_modules/.bin/buf");
  await run(buf, ["build", join(Dir, "proto"), "--exclude-source-info", "--as-file-descriptor-set", "-o", suite.descriptors]);
}

async function checkGo(): Promise<void> {
  const needed = `Go ${oldestGo.major}.${oldestGo.minor} or newer`;
  const found = await run("go", ["env", "GOVERSION"]).then(
    ({ stdout }) => stdout.trim(),
    () => undefined,
  );
  if (found === undefined) throw new Error(`Cannot build the conformance suite as ${needed} must be on the PATH: none is`);
  const [, major, minor] = /^go(\d+)\.(\d+)/.exec(found) ?? [];
  const enough = Number(major) > oldestGo.major || (Number(major) === oldestGo.major && Number(minor) >= oldestGo.minor);
  if (!enough) throw new Error(`Cannot build the conformance suite as ${needed} must be on the PATH: current version is ${found}`);
}
