import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { packagePath } from "../../cli/serve/root.ts";
import { decodeArtifact, encodeArtifact } from "../../worker/core/config/artifact.ts";
import { check } from "../../cli/config/check.ts";
import { data, folder } from "./temporary.ts";

function fairlead(cwd: string, ...args: string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [packagePath("cli/fairlead.js"), ...args], { cwd, encoding: "utf8" });
  return { status, stdout, stderr };
}

function artifactOf(name: string): Promise<Uint8Array<ArrayBuffer>> {
  const { config } = check(data(name));
  if (config === undefined) throw new Error(`Cannot compile ${name}`);
  return encodeArtifact(config);
}

it("`build` writes the artifact and says its path, size and digest", async () => {
  const directory = folder({ "fairlead.yaml": readFileSync(data("good.yaml"), "utf8") });
  const { status, stdout } = fairlead(directory, "build");
  const bytes = new Uint8Array(readFileSync(join(directory, "dist/fairlead.compiled")));
  expect({ status, stdout }).toEqual({ status: 0, stdout: `dist/fairlead.compiled: ${bytes.length} bytes, sha-256 ${(await decodeArtifact(bytes)).digest}\n` });
});

it("`build` on a bad file writes nothing and exits 1 with every issue", () => {
  const directory = folder({ "fairlead.yaml": readFileSync(data("bad.yaml"), "utf8") });
  const { status, stdout, stderr } = fairlead(directory, "build");
  expect({ status, stdout, last: stderr.trim().split("\n").at(-1) }).toEqual({ status: 1, stdout: "", last: "11 errors" });
  expect(existsSync(join(directory, "dist"))).toBe(false);
});

it("`check` names the file as it was given, and says who may call what, and in one line what a good one has", () => {
  const directory = folder({ "good.yaml": readFileSync(data("good.yaml"), "utf8"), "bad.yaml": "routes: 1\nauth: {}" });
  const good = fairlead(directory, "check", "good.yaml");
  expect({ ...good, stdout: good.stdout.split("\n\n").at(-1) }).toEqual({ status: 0, stdout: "good.yaml: ok (2 clusters, 3 routes, 5 methods)\n", stderr: "" });
  expect(good.stdout.split("\n").map((line) => line.trimEnd()).slice(0, 7)).toEqual([
    expect.stringMatching(/^method +who may call +said in$/),
    expect.stringMatching(/^-+ {2}-+ {2}-+$/),
    expect.stringMatching(/^\/acme\.legacy\.Search\/Find +everybody +auth\.rules\[1\]$/),
    expect.stringMatching(/^\/acme\.v1\.UserService\/Chat +main: scope users\.read, claim https:\/\/acme\.example\/tier = gold, claim org\.id = a or b, if claims\.tenant == metadata\['x-tenant'\] +auth\.rules\[0\]$/),
    expect.stringMatching(/^ +or scripts$/),
    expect.stringMatching(/^ +as tenants says, each: 100 in 60s for each principal$/),
    expect.stringMatching(/^\/acme\.v1\.UserService\/Get /),
  ]);
  expect(fairlead(directory, "check", "bad.yaml")).toEqual({ status: 1, stdout: "", stderr: "bad.yaml:1:9 routes: must be a list: current value is 1\n1 error\n" });
});

it("a file that is not there is an issue, not a crash", () => {
  expect(fairlead(folder({}), "check", "none.yaml").stderr).toBe("none.yaml:1:1 must be a file that can be read: it does not exist\n1 error\n");
});

it("an artifact with one byte changed, cut off, or of another version is refused", async () => {
  const bytes = await artifactOf("good.yaml");
  const changed = Uint8Array.from(bytes);
  changed[bytes.length - 3] = (changed[bytes.length - 3] ?? 0) ^ 1;
  await expect(decodeArtifact(changed)).rejects.toThrow(/digest must be/);
  await expect(decodeArtifact(bytes.slice(0, -1))).rejects.toThrow(/digest must be/);
  await expect(decodeArtifact(bytes.slice(0, 20))).rejects.toThrow(/must begin with/);
  const older = new Uint8Array(new TextEncoder().encode(new TextDecoder().decode(bytes).replace("fairlead-config 5 ", "fairlead-config 4 ")));
  await expect(decodeArtifact(older)).rejects.toThrow(/schema version must be 5: current value is 4/);
});
