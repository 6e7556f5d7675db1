/** A text that fits in a log, a table and a page: one line, printable, not long. */
export function shortText(text: string): string {
  if (text === "") return "";
  const line = text.slice(0, 4 * longest).replaceAll(/[\p{C}\p{Z}]+/gu, " ").trim();
  return line.length > longest ? `${line.slice(0, longest - 1).replace(/[\uD800-\uDBFF]$/, "")}…` : line;
}

const longest = 120;
