/** Where something stands in a file; line and column count from 1. */
export interface Position {
  readonly line: number;
  readonly col: number;
}

/** The way to a value: names of fields, keys of maps, indices of lists. */
export type Path = readonly (string | number)[];

/** One thing to say about a config. A warning does not keep a config from being built. */
export interface Issue {
  readonly severity: "error" | "warning";
  readonly file: string;
  readonly at: Position;
  /** Written path of the value; "" for the whole file. */
  readonly path: string;
  readonly message: string;
}

/** `routes[0].match.service`; a key with other characters than letters, digits, "_" and "-" in brackets and quotes. */
export function formatPath(path: Path): string {
  return path
    .map((step, i) => {
      if (typeof step === "number") return `[${step}]`;
      if (!/^[A-Za-z0-9_-]+$/.test(step)) return `[${JSON.stringify(step)}]`;
      return i === 0 ? step : `.${step}`;
    })
    .join("");
}

/** `FILE:LINE:COL path.to.field: message`, with `warning: ` before the message of a warning. */
export function formatIssue({ severity, file, at, path, message }: Issue): string {
  return `${file}:${at.line}:${at.col} ${path === "" ? "" : `${path}: `}${severity === "warning" ? "warning: " : ""}${message}`;
}

/** The issues, a line each, in the order of the file, and a line that counts them. */
export function formatIssues(issues: readonly Issue[]): string {
  const errors = issues.filter((issue) => issue.severity === "error").length;
  const counts = [count(errors, "error"), count(issues.length - errors, "warning")].filter((text) => !text.startsWith("0 "));
  return [...inOrder(issues).map(formatIssue), counts.join(", ")].join("\n");
}

/** `1 route`, `2 routes`. */
export function count(n: number, noun: string): string {
  return `${n} ${noun}${n === 1 ? "" : "s"}`;
}

function inOrder(issues: readonly Issue[]): Issue[] {
  return [...issues].sort((a, b) => a.at.line - b.at.line || a.at.col - b.at.col);
}
