import type { Outcome } from "./call.ts";
import type { Effect, Reason } from "./known.ts";

/** In what an answer through the proxy differs from the origin's own. */
export interface Difference {
  /** What the values alone explain. */
  readonly reasons: ReadonlySet<Reason>;
  /** What they do not: its effect, and where it is. */
  readonly rest?: { readonly effect: Effect; readonly where: string };
}

/** Compares two answers: status and code as they are, messages as JSON values, -0 and 0 apart. */
export function compare(direct: Outcome, through: Outcome): Difference {
  const reasons = new Set<Reason>();
  if (direct.code !== through.code || direct.status !== through.status) {
    const effect = through.code === "ok" ? "accepts" : direct.code === "ok" && through.code === "invalid_argument" ? "refuses" : "fails";
    return { reasons, rest: { effect, where: `${direct.status} ${direct.code} / ${through.status} ${through.code}` } };
  }
  const where = firstUnexplained(direct.messages, through.messages, "", reasons);
  return where === undefined ? { reasons } : { reasons, rest: { effect: "alters", where } };
}

/** The path of the first difference that its values do not explain; those that they do go to `reasons`. */
function firstUnexplained(a: unknown, b: unknown, path: string, reasons: Set<Reason>): string | undefined {
  if (Object.is(a, b)) return undefined;
  if (typeof a === "number" && typeof b === "number") {
    const reason = numberReason(a, b, path);
    if (reason === undefined) return `${path}: ${a} / ${b}`;
    reasons.add(reason);
    return undefined;
  }
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null || Array.isArray(a) !== Array.isArray(b)) return `${path}: ${show(a)} / ${show(b)}`;
  const [x, y] = [new Map(Object.entries(a)), new Map(Object.entries(b))];
  for (const name of new Set([...x.keys(), ...y.keys()])) {
    if (!x.has(name) || !y.has(name)) return `${path}.${name}: ${show(x.get(name))} / ${show(y.get(name))}`;
    const type = x.get("@type");
    const step = name === "value" && typeof type === "string" ? `${name}(${type})` : name;
    const found = firstUnexplained(x.get(name), y.get(name), `${path}.${step}`, reasons);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** Every field of type float has a name that says so, or stands in a group or wrapper that does. */
const floatPath = /float|inside/i;

function numberReason(a: number, b: number, path: string): Reason | undefined {
  if (a === 0 && b === 0) return "minus zero";
  if (floatPath.test(path) && Math.fround(a) === Math.fround(b) && Math.fround(b) === b) return "float digits";
  return undefined;
}

function show(value: unknown): string {
  return (JSON.stringify(value) ?? "none").slice(0, 80);
}
