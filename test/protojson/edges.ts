import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Item } from "./judge.ts";
import { type Reason, reasons } from "./known.ts";

const files = ["edges-alike-scalars.txt", "edges-alike-messages.txt", "edges-apart.txt"];

/**
 * Messages at and beyond the borders of ProtoJSON. In the files of data/, each line is one; a line "# REASON" says
 * which difference the lines below it show, "# none" that they show none.
 */
export function edgeItems(): Item[] {
  return [...files.flatMap(itemsOf), ...nested(), item("\ufeff{}", "byte order mark")];
}

function itemsOf(file: string): Item[] {
  const items: Item[] = [];
  let reason: Reason | undefined;
  for (const line of readFileSync(join(import.meta.dirname, "data", file), "utf8").split("\n")) {
    if (line.startsWith("# ")) reason = reasons.find((known) => line === `# ${known}`);
    else if (line !== "") items.push(item(line, reason));
  }
  return items;
}

function item(text: string, reason?: Reason): Item {
  return { text, notes: new Set(reason === undefined ? [] : [reason]) };
}

/** Messages within messages, lists within lists, and objects within a Struct. */
function nested(): Item[] {
  const inner = (depth: number) => `{"kinds":${'{"inner":'.repeat(depth)}{}${"}".repeat(depth + 1)}`;
  const list = (depth: number) => `{"list":${"[".repeat(depth)}${"]".repeat(depth)}}`;
  const struct = (depth: number) => `{"kinds":{"struct":${'{"a":'.repeat(depth)}1${"}".repeat(depth + 2)}`;
  const shallow = [inner(90), list(40), struct(25), list(60), struct(50)];
  const deep = [inner(120), inner(1000), list(120), list(1000), struct(120), struct(1000)];
  return [...shallow.map((text) => item(text)), ...deep.map((text) => item(text, "deep nesting"))];
}
