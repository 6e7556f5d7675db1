import { type CelEnv, celEnv, isCelError, parse, run } from "@bufbuild/cel";
import { type Expr, type ParsedExpr, ParsedExprSchema } from "@bufbuild/cel-spec/cel/expr/syntax_pb.js";
import { create, toBinary } from "@bufbuild/protobuf";
import type { CompiledCondition } from "../../worker/core/config/compiled-auth.ts";
import { base64Encode } from "../../worker/core/protocol/base64.ts";
import { didYouMean } from "./suggest.ts";

/** What a condition may name: https://github.com/google/cel-spec/blob/master/doc/langdef.md */
export const variables = ["claims", "scopes", "subject", "provider", "metadata", "method"];

/** Names of types, which are values too. */
const types = ["bool", "bytes", "double", "duration", "dyn", "google", "int", "list", "map", "null_type", "string", "timestamp", "type", "uint"];

/** What the parser makes of operators and macros, by the type that it gives. */
const booleans = new Set(["_==_", "_!=_", "_<_", "_<=_", "_>_", "_>=_", "_&&_", "_||_", "!_", "@in", "@not_strictly_false", "has", "contains", "startsWith", "endsWith", "matches"]);
const others = new Set(["_+_", "_-_", "_*_", "_/_", "_%_", "-_", "size", "int", "uint", "double", "string", "bytes", "timestamp", "duration", "type"]);

export type Condition = { readonly expr: Expr } | { readonly problem: string };

/** Parses a condition and judges what can be judged without a call: its names, its functions, and whether it can be true at all. */
export function readCondition(text: string): Condition {
  let parsed: ParsedExpr & { expr: Expr };
  try {
    parsed = parse(text);
  } catch (error) {
    return { problem: `must be a CEL expression: ${error instanceof Error ? error.message.replace(/^<input>:(\d+):(\d+): /, (_, line, col) => `line ${line}, column ${col}: `) : String(error)}` };
  }
  const problem = misnamed(parsed.expr, new Set(variables), celEnv()) ?? (isNoBool(parsed.expr) ? "must be true or false for a call: this is of another type" : undefined);
  return problem === undefined ? { expr: parsed.expr } : { problem };
}

/** A condition that `readCondition` found good. */
export function compileCondition(text: string): CompiledCondition | null {
  if (text === "") return null;
  const bytes = toBinary(ParsedExprSchema, create(ParsedExprSchema, { expr: parse(text).expr }));
  return { text, parsed: base64Encode(bytes) };
}

/** What the first name in an expression is that nothing has; undefined where all are known. */
function misnamed(expr: Expr | undefined, names: ReadonlySet<string>, env: CelEnv): string | undefined {
  const all = (...parts: (Expr | undefined)[]) => parts.map((part) => misnamed(part, names, env)).find((problem) => problem !== undefined);
  const kind = expr?.exprKind;
  switch (kind?.case) {
    case "identExpr": {
      const { name } = kind.value;
      if (names.has(name) || types.includes(name)) return undefined;
      return `must name nothing but ${variables.join(", ")}: current value names "${name}"${didYouMean(name, names)}`;
    }
    case "selectExpr":
      return all(kind.value.operand);
    case "callExpr": {
      const { function: name, target, args } = kind.value;
      const known = booleans.has(name) || others.has(name) || name.startsWith("_") || env.funcs.find(name) !== undefined;
      if (name === "matches" && !isPattern(args.at(-1))) return "must have patterns in RE2's syntax: https://github.com/google/re2/wiki/Syntax";
      return known ? all(target, ...args) : `must call functions of CEL: there is no ${name}${didYouMean(name, [...env.funcs].map((func) => func.name))}`;
    }
    case "listExpr":
      return all(...kind.value.elements);
    case "structExpr":
      return all(...kind.value.entries.flatMap(({ keyKind, value }) => [keyKind.case === "mapKey" ? keyKind.value : undefined, value]));
    case "comprehensionExpr": {
      const { iterVar, iterVar2, accuVar, iterRange, accuInit, loopCondition, loopStep, result } = kind.value;
      const inner = new Set([...names, iterVar, iterVar2, accuVar]);
      return all(iterRange, accuInit) ?? [loopCondition, loopStep, result].map((part) => misnamed(part, inner, env)).find((problem) => problem !== undefined);
    }
    default:
      return undefined;
  }
}

/** The constant names of headers that an expression asks `metadata` for. */
export function metadataNames(expr: Expr): string[] {
  const names: string[] = [];
  const isMetadata = (one: Expr | undefined) => one?.exprKind.case === "identExpr" && one.exprKind.value.name === "metadata";
  const note = (one: Expr | undefined) => {
    if (one?.exprKind.case === "constExpr" && one.exprKind.value.constantKind.case === "stringValue") names.push(one.exprKind.value.constantKind.value);
  };
  visit(expr, ({ exprKind: { case: kind, value } }) => {
    if (kind === "selectExpr" && isMetadata(value.operand)) names.push(value.field);
    if (kind !== "callExpr") return;
    const [first, second] = value.args;
    if (value.function === "_[_]" && isMetadata(first)) note(second);
    if (value.function === "@in" && isMetadata(second)) note(first);
  });
  return [...new Set(names)];
}

function visit(expr: Expr | undefined, look: (expr: Expr) => void): void {
  if (expr === undefined) return;
  look(expr);
  const { case: kind, value } = expr.exprKind;
  const all = (...parts: (Expr | undefined)[]) => parts.forEach((part) => visit(part, look));
  if (kind === "selectExpr") all(value.operand);
  else if (kind === "callExpr") all(value.target, ...value.args);
  else if (kind === "listExpr") all(...value.elements);
  else if (kind === "structExpr") all(...value.entries.flatMap(({ keyKind, value: inner }) => [keyKind.case === "mapKey" ? keyKind.value : undefined, inner]));
  else if (kind === "comprehensionExpr") all(value.iterRange, value.accuInit, value.loopCondition, value.loopStep, value.result);
}

/** Whether an expression is no text, or one that RE2 takes for a pattern. */
function isPattern(expr: Expr | undefined): boolean {
  if (expr?.exprKind.case !== "constExpr" || expr.exprKind.value.constantKind.case !== "stringValue") return true;
  return !isCelError(run("''.matches(pattern)", { pattern: expr.exprKind.value.constantKind.value }));
}

/** Whether an expression cannot be true or false, whatever the call. A claim or a variable of a macro may be. */
function isNoBool(expr: Expr | undefined): boolean {
  const kind = expr?.exprKind;
  switch (kind?.case) {
    case "constExpr":
      return kind.value.constantKind.case !== "boolValue";
    case "identExpr":
      return variables.includes(kind.value.name) || types.includes(kind.value.name);
    case "selectExpr":
      return !kind.value.testOnly && kind.value.operand?.exprKind.case === "identExpr" && kind.value.operand.exprKind.value.name === "metadata";
    case "listExpr":
    case "structExpr":
      return true;
    case "callExpr": {
      const { function: name, args } = kind.value;
      if (others.has(name)) return true;
      if (name === "_?_:_") return isNoBool(args[1]) || isNoBool(args[2]);
      return (name === "_&&_" || name === "_||_" || name === "!_") && args.some(isNoBool);
    }
    default:
      return false;
  }
}
