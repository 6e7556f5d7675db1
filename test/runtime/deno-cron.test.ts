import { spawn } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { packagePath } from "../../cli/serve/root.ts";
import { folder } from "../cli/temporary.ts";
import { compileText } from "../e2e/harness.ts";

it("where timers stop, as on Deno Deploy, the cron of each minute sweeps", async () => {
  const probed: number[] = [];
  const origin = createServer((_request, response) => {
    probed.push(Date.now());
    response.writeHead(204).end();
  }).listen(0, "127.0.0.1");
  await once(origin, "listening");
  const directory = folder({});
  const file = join(directory, "fairlead.compiled");
  writeFileSync(file, await compileText(`
clusters: { c: { dialect: CONNECT, health_check: { http_path: /, interval: 1s }, localities: [{ region: r, endpoints: [{ url: "http://127.0.0.1:${(origin.address() as AddressInfo).port}" }] }] } }
routes: [{ match: { prefix: / }, cluster: c }]
`));
  // A minute that is about to turn would not tell cron and timer apart.
  const second = new Date().getSeconds();
  if (second > 52) await new Promise((resolve) => setTimeout(resolve, (61 - second) * 1000));
  const flags = ["run", "--allow-net", "--allow-read", "--allow-env", "--no-prompt", "--unstable-cron"];
  const deno = spawn(packagePath("node_modules/.bin/deno"), [...flags, packagePath("worker/runtime/deno/main.ts"), "--config", file, "--port", "0"], { env: { ...process.env, DENO_DEPLOYMENT_ID: "1", DENO_NO_UPDATE_CHECK: "1" }, stdio: "ignore" });
  try {
    while (probed.length < 3) await new Promise((resolve) => setTimeout(resolve, 100));
    expect(new Date(probed[0]!).getSeconds()).toBeLessThan(3);
    expect(probed[2]! - probed[0]!).toBeGreaterThan(1500);
  } finally {
    deno.kill();
    await once(deno, "exit");
    origin.close();
  }
}, 100_000);
