import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { monitorEventLoopDelay } from "node:perf_hooks";
import { endpoints, type Fault, idHeader, now, sickOf } from "./layout.ts";
import { openGrpcOrigin } from "./grpc-origin.ts";
import { openOrigin, type Origin } from "./origin.ts";

/** A call's head that reached an endpoint: the call's id (-1: none), the endpoint's index, and when. */
export type Seen = readonly [id: number, endpoint: number, at: number];

export interface OriginsReport {
  readonly seen: readonly Seen[];
  /** Health checks that came, by endpoint. */
  readonly probes: readonly number[];
  /** The longest time for which the process did nothing, in milliseconds: what it adds to a latency at most. */
  readonly heldUpMs: number;
}

export interface Origins {
  readonly urls: readonly string[];
  /** Begins a fault at the endpoints that it is for, or ends it; gives when it held. */
  set(fault: Fault, on: boolean): Promise<number>;
  report(): Promise<OriginsReport>;
  stop(): void;
}

type Command = { readonly fault: Fault; readonly on: boolean } | "report";

/** Starts all endpoints in one process of their own; `grpc`: they speak gRPC over HTTP/2 instead of Connect and gRPC-Web. */
export async function startOrigins(grpc = false): Promise<Origins> {
  const child: ChildProcess = fork(import.meta.filename, ["serve", ...(grpc ? ["grpc"] : [])], { stdio: ["ignore", "ignore", "inherit", "ipc"] });
  const died = once(child, "exit").then(([code]) => {
    throw new Error(`Cannot go on as the origins must stay up: they exited with code ${code}`);
  });
  died.catch(() => {});
  const next = async <T>() => (await Promise.race([once(child, "message"), died]))[0] as T;
  const tell = <T>(command: Command) => {
    child.send(command);
    return next<T>();
  };
  const ports = await next<number[]>();
  return {
    urls: ports.map((port) => `http://127.0.0.1:${port}`),
    set: (fault, on) => tell({ fault, on }),
    report: () => tell("report"),
    stop: () => void child.kill(),
  };
}

async function serve(open: typeof openOrigin): Promise<void> {
  const seen: Seen[] = [];
  const origins: Origin[] = [];
  const delay = monitorEventLoopDelay({ resolution: 5 });
  delay.enable();
  // Below what the system gives to outgoing connections: a port that is closed for a while must not be taken by one.
  let port = 20_000 + (process.pid % 500) * 20;
  for (const [index, endpoint] of endpoints.entries()) {
    origins.push(await firstFree(() => open(endpoint, port++, (headers) => seen.push([Number(headers[idHeader] ?? -1), index, now()]))));
  }
  process.on("message", async (command: Command) => {
    if (command === "report") return process.send?.({ seen, probes: origins.map(({ probes }) => probes()), heldUpMs: delay.max / 1e6 } satisfies OriginsReport);
    await Promise.all(sickOf(command.fault).map((index) => origins[index]?.set(command.on ? command.fault : null)));
    return process.send?.(now());
  });
  process.on("disconnect", () => process.exit());
  process.send?.(origins.map(({ port }) => port));
}

async function firstFree(open: () => Promise<Origin>): Promise<Origin> {
  for (let tries = 0; ; tries++) {
    try {
      return await open();
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EADDRINUSE" || tries === 100) throw error;
    }
  }
}

if (process.argv[2] === "serve" && process.send !== undefined) await serve(process.argv[3] === "grpc" ? openGrpcOrigin : openOrigin);
