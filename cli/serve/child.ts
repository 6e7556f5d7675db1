import { type ChildProcess, spawn } from "node:child_process";
import { connect, createServer } from "node:net";
import type { Store } from "../../worker/proxy/ports.ts";
import type { Served } from "./serve.ts";

/** How to start a runtime, and how to learn the port from what it writes. */
export interface Launch {
  readonly name: string;
  readonly command: string;
  readonly args: (port: number) => readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** The descriptor on which the runtime tells its port, and the words it does that in (group 1). */
  readonly told: { readonly fd: 1 | 3; readonly as: RegExp };
  /** Puts another compiled config where the runtime finds it at its next start. */
  readonly write: (artifact: Uint8Array<ArrayBuffer>) => Promise<void>;
  /** Called whenever the runtime has begun to accept calls. */
  readonly up?: () => void;
  /** Where the runtime has its KV. */
  readonly store?: Store;
  readonly cleanUp: () => void;
}

/** Calls under way are given this long to end when the runtime is told to stop, in milliseconds. */
const grace = 500;

/** Starts a runtime, and starts it anew on the same port for every other config. */
export async function serveInChild(launch: Launch, port: number): Promise<Served> {
  if (port !== 0) await mustBeFree(port);
  let running = await start(launch, port);
  const url = `http://127.0.0.1:${running.port}`;
  const { promise: exited, resolve } = Promise.withResolvers<number | null>();
  let restarting = false;
  const follow = () => void running.exited.then((code) => restarting || resolve(code));
  follow();
  process.once("exit", launch.cleanUp);
  return {
    url,
    exited,
    store: launch.store ?? null,
    get pid() {
      return running.pid;
    },
    async reload(artifact) {
      await launch.write(artifact);
      restarting = true;
      await running.end();
      try {
        running = await start(launch, running.port);
      } catch (error) {
        resolve(null);
        throw error;
      } finally {
        restarting = false;
      }
      follow();
    },
    async stop() {
      await running.end();
      process.off("exit", launch.cleanUp);
      launch.cleanUp();
    },
  };
}

interface Running {
  readonly pid: number;
  readonly port: number;
  readonly exited: Promise<number | null>;
  end(): Promise<void>;
}

async function start({ name, command, args, env, told, up }: Launch, port: number): Promise<Running> {
  const child = spawn(command, args(port), { stdio: ["ignore", "pipe", "inherit", "pipe"], env: { ...process.env, ...env } });
  const exited = new Promise<number | null>((resolve) => {
    child.once("exit", resolve);
    child.once("error", () => resolve(null));
  });
  const kill = () => child.kill("SIGKILL");
  process.once("exit", kill);
  void exited.then(() => process.off("exit", kill));
  const failed = exited.then((code) => {
    throw new Error(`Cannot serve on port ${port} as ${name} must stay up: it exited with code ${code}`);
  });
  failed.catch(() => {});
  const at = await Promise.race([portFrom(child, told), failed]);
  await Promise.race([accepts(at), failed]);
  up?.();
  return {
    pid: child.pid ?? 0,
    port: at,
    exited,
    async end() {
      child.kill("SIGTERM");
      const timer = setTimeout(kill, grace);
      await exited;
      clearTimeout(timer);
    },
  };
}

function portFrom(child: ChildProcess, { fd, as }: Launch["told"]): Promise<number> {
  const { promise, resolve } = Promise.withResolvers<number>();
  let text = "";
  child.stdio[fd]?.on("data", (chunk: Buffer) => {
    const port = as.exec((text += String(chunk)))?.[1];
    if (port === undefined) return;
    resolve(Number(port));
    text = "";
  });
  child.stdout?.pipe(process.stderr, { end: false });
  return promise;
}

async function accepts(port: number): Promise<void> {
  const tryOnce = () =>
    new Promise<boolean>((resolve) => {
      const socket = connect(port, "127.0.0.1", () => resolve(socket.destroy() !== undefined));
      socket.once("error", () => resolve(false));
    });
  while (!(await tryOnce())) await new Promise((resolve) => setTimeout(resolve, 10));
}

function mustBeFree(port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", (error) => reject(new Error(`Cannot serve on port ${port} as it must be free: ${error.message}`)));
    server.listen(port, "127.0.0.1", () => server.close(() => resolve()));
  });
}
