import { execFileSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";

const ticksPerSecond = Number(existsSync("/proc/self/stat") ? execFileSync("getconf", ["CLK_TCK"], { encoding: "utf8" }) : NaN);

/** Whether this system tells what a process costs. */
export const canMeasure = Number.isFinite(ticksPerSecond);

/** CPU that a process and its threads, ended ones too, have taken so far: user and system, in microseconds, to a clock tick (10 ms). */
export function cpuUs(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
  // The second field is the command in parentheses, and may hold blanks: fields are counted from the third.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return ((Number(fields[11]) + Number(fields[12])) * 1_000_000) / ticksPerSecond;
}

/** CPU of the threads that a process has now, in microseconds: finer than `cpuUs`, but without threads that have ended. */
export function fineCpuUs(pid: number): number {
  if (!existsSync(`/proc/${pid}/schedstat`)) return cpuUs(pid);
  const threads = readdirSync(`/proc/${pid}/task`);
  return threads.reduce((sum, thread) => sum + Number(readFileSync(`/proc/${pid}/task/${thread}/schedstat`, "utf8").split(" ")[0]) / 1000, 0);
}

/** Memory that a process holds, in bytes: resident now, and at its highest. */
export function memory(pid: number): { readonly now: number; readonly highest: number } {
  const status = readFileSync(`/proc/${pid}/status`, "utf8");
  const bytes = (name: string) => Number(new RegExp(`^${name}:\\s+(\\d+) kB`, "m").exec(status)?.[1]) * 1024;
  return { now: bytes("VmRSS"), highest: bytes("VmHWM") };
}
