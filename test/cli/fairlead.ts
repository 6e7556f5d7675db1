import { execFile } from "node:child_process";
import { packagePath } from "../../cli/serve/root.ts";

export interface Ended {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** With this in its surroundings wrangler asks nobody outside this machine. */
export const offline = { WRANGLER_SEND_METRICS: "false", WRANGLER_SEND_ERROR_REPORTS: "false", CLOUDFLARE_CF_FETCH_ENABLED: "false", CLOUDFLARE_API_TOKEN: "" };

/** The CLI as people run it, in this directory. */
export function fairleadIn(cwd: string): (...args: string[]) => Promise<Ended> {
  const env = { ...process.env, ...offline };
  return (...args) =>
    new Promise((resolve) => {
      const child = execFile(process.execPath, [packagePath("cli/main.ts"), ...args], { cwd, env }, (_error, out, err) => resolve({ code: child.exitCode ?? -1, out, err }));
    });
}
