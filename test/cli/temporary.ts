import { cpSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import { check, type CheckOptions } from "../../cli/config/check.ts";
import { openToAll } from "../open-to-all.ts";

/** A file that lies in test/cli/data. */
export function data(name: string): string {
  return join(import.meta.dirname, "data", name);
}

/** A folder that lives as long as the test, with these files and the descriptors of acme.v1.UserService. */
export function folder(files: Readonly<Record<string, string>>): string {
  const directory = mkdtempSync(join(tmpdir(), "fairlead-test-"));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  for (const name of ["users.binpb", "users-without-imports.binpb"]) cpSync(data(name), join(directory, name));
  for (const [name, text] of Object.entries(files)) writeFileSync(join(directory, name), text);
  return directory;
}

/** The issues of a config given as text, as `LINE:COL path: message`; the issues of another file begin with its name. Everybody may call, unless the text says who. */
export function issuesOf(yaml: string, { env, wrangler }: { env?: string; wrangler?: string } = {}): string[] {
  const directory = folder({ "fairlead.yaml": openToAll(yaml), ...(wrangler === undefined ? {} : { "wrangler.toml": wrangler }) });
  return issuesIn(join(directory, "fairlead.yaml"), { env });
}

/** The issues of a config file, in the order of the file. */
export function issuesIn(file: string, options: CheckOptions = {}): string[] {
  return [...check(file, options).issues]
    .sort((a, b) => a.at.line - b.at.line || a.at.col - b.at.col)
    .map(({ file: where, at, path, message, severity }) => {
      const name = where === file ? "" : `${where.split("/").at(-1)}:`;
      return `${name}${at.line}:${at.col} ${severity === "warning" ? "warning " : ""}${path}: ${message.replaceAll(/\/[^ ]*\/(?=[^/ ]+\.(binpb|toml))/g, "")}`;
    });
}

/** A config with one cluster, `users`, and these lines of routes. */
export function withRoutes(...routes: string[]): string {
  return ["descriptors: [users.binpb]", "clusters:", "  users: { dialect: SAME, localities: [{ region: a, endpoints: [{ url: http://127.0.0.1:1 }] }] }", "routes:", ...routes.map((route) => `  - ${route}`)].join("\n");
}

/** A config with one route to the cluster `users`, which has this text for its localities. */
export function withLocalities(localities: string): string {
  return ["routes: [{ match: { prefix: / }, cluster: users }]", "clusters:", "  users:", "    dialect: SAME", `    localities: ${localities}`].join("\n");
}
