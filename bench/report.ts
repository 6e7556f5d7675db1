import { verdict } from "./bars.ts";
import type { Measured } from "./rounds.ts";

/** What was measured; a part that did not run is undefined. */
export interface Results {
  readonly unary?: readonly Measured[];
  readonly streams?: readonly Measured[];
  readonly bundle?: { readonly minified: number; readonly gzipped: number };
  /** Milliseconds. */
  readonly evaluation?: number;
}

/** The results as Markdown that reads well as plain text too. Every figure that is over its bar says OVER. */
export function report({ unary, streams, bundle, evaluation }: Results): string {
  const sections: string[] = [];
  if (unary !== undefined) sections.push("Unary calls: request 15 bytes, reply 100 bytes of protobuf, 16 connections.\n", costs(unary, "us/call"));
  if (streams !== undefined) sections.push("Server streams: 64 messages of 1 MiB, one stream at a time.\n", costs(streams, "us/MiB"));
  const rows: string[][] = [];
  if (bundle !== undefined) rows.push(["bundle, minified and gzipped", `${(bundle.gzipped / 1000).toFixed(1)} kB (${(bundle.minified / 1000).toFixed(1)} minified)`, verdict("bundle", bundle.gzipped / 1000)]);
  if (evaluation !== undefined) rows.push(["CPU to the first reply, over an empty Worker's", `${evaluation.toFixed(1)} ms`, verdict("evaluation", evaluation)]);
  if (rows.length > 0) sections.push("Size and start.\n", markdown(["what", "value", "bar"], rows));
  return `${sections.join("\n")}\n`;
}

function costs(measured: readonly Measured[], unit: string): string {
  const head = ["case", `CPU ${unit}`, "over the cheapest", "bar", "p50 ms", "p99 ms", "calls/s", "MB grown", "MB highest"];
  const mb = (bytes: number) => (bytes / 1e6).toFixed(0);
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

function markdown(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = head.map((name, i) => Math.max(name.length, ...rows.map((row) => row[i]?.length ?? 0)));
  const line = (cells: readonly string[]) => `| ${cells.map((cell, i) => cell.padEnd(widths[i] ?? 0)).join(" | ")} |`;
  return [line(head), `|${widths.map((width) => "-".repeat(width + 2)).join("|")}|`, ...rows.map(line), ""].join("\n");
}
