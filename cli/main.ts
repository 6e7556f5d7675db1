import { Command, InvalidArgumentError, Option } from "commander";
import { keysCommand } from "./api-keys.ts";
import { build } from "./build.ts";
import { check } from "./config/check.ts";
import { count, formatIssues } from "./config/issue.ts";
import { policyTable } from "./config/policy-table.ts";
import { dev } from "./dev.ts";
import { drainCommands } from "./drain.ts";
import { explainCommand } from "./explain-command.ts";
import type { Runtime } from "./serve/serve.ts";
import { tokenCommand } from "./token.ts";
import { weighCommand } from "./weigh.ts";

const program = new Command("fairlead").description("An edge proxy for RPC: checks and compiles its config, and runs it on this machine.");
const file = ["[file]", "the config", "fairlead.yaml"] as const;
const env = () => new Option("--env <name>", "merge environments.NAME over the file");
const wrangler = () => new Option("--wrangler <file>", "the wrangler config to compare with (default: wrangler.toml beside the file, if there is one)");

program
  .command("check")
  .description("Report every issue of a config, each as FILE:LINE:COL path: message. Exits 1 if one is an error.")
  .argument(...file)
  .addOption(env())
  .addOption(wrangler())
  .action((path: string, options: { env?: string; wrangler?: string }) => {
    const { config, issues } = check(path, options);
    if (issues.length > 0) console.error(formatIssues(issues));
    if (config === undefined) process.exitCode = 1;
    else console.log(`${config.methods.length === 0 ? "" : `${policyTable(config)}\n\n`}${path}: ok (${count(config.clusters.length, "cluster")}, ${count(config.routes.length, "route")}, ${count(config.methods.length, "method")})`);
  });

program
  .command("build")
  .description("Check a config and compile it to what the Worker takes. A config with an error is not built.")
  .argument(...file)
  .addOption(env())
  .addOption(wrangler())
  .option("--out <file>", "where to write the compiled config", "dist/fairlead.compiled")
  .action(async (path: string, { out, ...options }: { out: string; env?: string; wrangler?: string }) => {
    const { built, issues } = await build(path, out, options);
    if (issues.length > 0) console.error(formatIssues(issues));
    if (built === undefined) process.exitCode = 1;
    else console.log(`${out}: ${built.size} bytes, sha-256 ${built.digest}`);
  });

program.addCommand(explainCommand());
program.addCommand(tokenCommand());
program.addCommand(keysCommand());
for (const command of drainCommands()) program.addCommand(command);
program.addCommand(weighCommand());

program
  .command("dev")
  .description("Serve a config on 127.0.0.1, and again whenever it, a descriptor or wrangler.toml changes. A change for the worse is reported and not taken.")
  .option("--config <file>", "the config", "fairlead.yaml")
  .addOption(env())
  .addOption(wrangler())
  .option("--port <n>", "0 takes a free one", port, 8080)
  .addOption(new Option("--runtime <name>", "what runs the proxy").choices(["workerd", "deno"]).default("workerd"))
  .option("--worker <file>", "run this in the place of the project's own Worker (or program for Deno): one with layers of one's own")
  .action((options: { config: string; env?: string; wrangler?: string; port: number; runtime: Runtime; worker?: string }) => dev(options));

function port(text: string): number {
  if (/^\d{1,5}$/.test(text) && Number(text) <= 65535) return Number(text);
  throw new InvalidArgumentError("Must be a number from 0 to 65535.");
}

try {
  await program.parseAsync();
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
