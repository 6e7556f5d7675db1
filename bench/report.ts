import { verdict } from "./bars.ts";
import type { MemoryMeasured } from "./memory.ts";
import type { PickerFigures } from "./picker.ts";
import type { Measured } from "./rounds.ts";

/** What was measured; a part that did not run is undefined. */
export interface Results {
  readonly unary?: readonly Measured[];
  readonly auth?: readonly Measured[];
  readonly streams?: readonly Measured[];
  readonly bundle?: { readonly minified: number; readonly gzipped: number };
  /** Milliseconds. */
  readonly evaluation?: number;
  readonly memory?: MemoryMeasured;
  readonly picker?: PickerFigures;
}

/** The results as Markdown that reads well as plain text too. Every figure that is over its bar says OVER. */
export function report({ unary, auth, streams, bundle, evaluation, memory, picker }: Results): string {
  const sections: string[] = [];
  if (unary !== undefined) sections.push("Unary calls: request 15 bytes, reply 100 bytes of protobuf, 16 connections.\n", costs(unary, "us/call"));
  if (auth !== undefined) sections.push("Unary calls with a token in RS256, which the proxy looks at or not; and without one. CPU over the call whose token is not looked at.\n", costs(auth, "us/call", "over the open one"));
  if (streams !== undefined) sections.push("Server streams: 64 messages of 1 MiB, one stream at a time.\n", costs(streams, "us/MiB"));
  const rows: string[][] = [];
  if (bundle !== undefined) rows.push(["bundle, minified and gzipped", `${(bundle.gzipped / 1000).toFixed(1)} kB (${(bundle.minified / 1000).toFixed(1)} minified)`, verdict("bundle", bundle.gzipped / 1000)]);
  if (evaluation !== undefined) rows.push(["CPU to the first reply, over an empty Worker's", `${evaluation.toFixed(1)} ms`, verdict("evaluation", evaluation)]);
  if (rows.length > 0) sections.push("Size and start.\n", markdown(["what", "value", "bar"], rows));
  if (picker !== undefined) sections.push("Choosing, in Node: routes found by method, service and prefix; picks over 1,000 endpoints in 10 localities, for callers at known places.\n", choosing(picker));
  if (memory !== undefined) sections.push("Memory with slow callers: MB that the process grows by, over its idle value after a warm-up.\n", ...growths(memory));
  return `${sections.join("\n")}\n`;
}

function costs(measured: readonly Measured[], unit: string, over = "over the cheapest"): string {
  const head = ["case", `CPU ${unit}`, over, "bar", "p50 ms", "p99 ms", "calls/s", "MB grown", "MB highest"];
  const rows = measured.map(({ name, cpu, ratio, p50, p99, perSecond, grown, highest }) => [
    name,
    cpu.toFixed(0),
    `${ratio.median.toFixed(2)} (${ratio.least.toFixed(2)} to ${ratio.most.toFixed(2)})`,
    verdict(name, ratio.median),
    p50.toFixed(2),
    p99.toFixed(2),
    perSecond.toFixed(perSecond < 100 ? 1 : 0),
    mb(grown),
    mb(highest),
  ]);
  return markdown(head, rows);
}

function choosing({ routeRatio, pickUs, pickBytes }: PickerFigures): string {
  return markdown(["what", "value", "bar"], [
    ["route look-up among 1,000 over one among 10", routeRatio.toFixed(2), verdict("route look-up", routeRatio)],
    ["time of a pick", `${pickUs.toFixed(2)} us`, verdict("time of a pick", pickUs)],
    ["memory of a pick", `${pickBytes.toFixed(0)} bytes`, verdict("memory of a pick", pickBytes)],
  ]);
}

function growths({ reader, uploads }: MemoryMeasured): string[] {
  const stream = [...[...reader.quarters, reader.highest].map(mb), verdict("slow reader", reader.highest / 1e6)];
  const rows = uploads.map(({ name, highest, after, answered, refused, broken, small }) => [
    name,
    mb(highest),
    mb(after),
    verdict(name, highest / 1e6),
    ...[answered, refused, broken].map(String),
    `${small.calls - small.failed} of ${small.calls}`,
    small.p99.toFixed(1),
  ]);
  return [
    markdown(["100 MiB at 15 MB/s", "at 25 %", "at 50 %", "at 75 %", "at 100 %", "highest", "bar"], [["slow reader", ...stream]]),
    markdown(["100 of 4 MB in 4 s", "highest", "3 s after", "bar", "answered", "refused", "broken", "small calls answered", "their p99 ms"], rows),
  ];
}

function mb(bytes: number): string {
  return (bytes / 1e6).toFixed(0);
}

function markdown(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = head.map((name, i) => Math.max(name.length, ...rows.map((row) => row[i]?.length ?? 0)));
  const line = (cells: readonly string[]) => `| ${cells.map((cell, i) => cell.padEnd(widths[i] ?? 0)).join(" | ")} |`;
  return [line(head), `|${widths.map((width) => "-".repeat(width + 2)).join("|")}|`, ...rows.map(line), ""].join("\n");
}
