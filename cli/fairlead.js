#!/usr/bin/env node
// Runs cli/main.ts, which wants a Node that strips types. The machine's may be older than the one in node_modules.
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import module, { createRequire } from "node:module";
import { constants, tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

// Where Node keeps what it has compiled: this command, wrangler and the other Node start in about half the time.
process.env.NODE_COMPILE_CACHE ??= join(tmpdir(), "node-compile-cache");

const main = fileURLToPath(new URL("./main.ts", import.meta.url));

if (Number.parseInt(process.versions.node, 10) >= 24) {
  module.enableCompileCache(process.env.NODE_COMPILE_CACHE);
  await import("./main.ts");
} else {
  // The channel tells the child, by closing, that this process was killed.
  const child = spawn(newerNode(), [main, ...process.argv.slice(2)], { stdio: ["inherit", "inherit", "inherit", "ipc"] });
  for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, () => child.kill(signal));
  child.on("exit", (code, signal) => process.exit(code ?? 128 + constants.signals[signal]));
}

function newerNode() {
  const directory = dirname(createRequire(import.meta.url).resolve("node/package.json"));
  const binary = ["bin/node", "bin/node.exe"].map((name) => join(directory, name)).find((path) => existsSync(path));
  if (binary !== undefined) return binary;
  console.error(`Cannot run fairlead as Node must be 24 or newer, or the package "node" installed: current value is ${process.versions.node}`);
  return process.exit(1);
}
