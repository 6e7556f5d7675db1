import { type DescMessage, fromJson, type JsonValue, type Message } from "@bufbuild/protobuf";
import { createValidator, type Violation } from "@bufbuild/protovalidate";
import { type Config, ConfigSchema } from "../../gen/fairlead/config/v1/config_pb.js";
import type { Path } from "./issue.ts";
import type { Report } from "./report.ts";
import { type MapTree, toJson, valueAt } from "./tree.ts";

/** One for all: it keeps the rules that it has compiled, which takes longer than anything else of a check. */
const validator = createValidator();

/** The config as a message, every violation of the rules in config.proto reported at its place. */
export function readConfig(tree: MapTree, report: Report): Config | undefined {
  let config: Config;
  try {
    config = fromJson(ConfigSchema, toJson(tree) as JsonValue);
  } catch (error) {
    report.of(tree, [], String(error));
    return undefined;
  }
  const result = validator.validate(ConfigSchema, config);
  if (result.kind === "error") throw result.error;
  for (const violation of result.violations ?? []) {
    const path = pathOf(violation);
    report.of(tree, path, message(violation, tree, path), { ofKey: violation.forKey });
  }
  bare(ConfigSchema, config);
  return config;
}

/** Takes the prototype off all maps: a cluster "constructor" is there only if somebody has written it. */
function bare(type: DescMessage, message: Message): void {
  const fields = message as unknown as Readonly<Record<string, unknown>>;
  for (const field of type.fields) {
    const value = field.oneof === undefined ? fields[field.localName] : undefined;
    if (value === undefined) continue;
    if (field.fieldKind === "map") Object.setPrototypeOf(value, null);
    if (field.message !== undefined) for (const one of field.fieldKind === "message" ? [value] : Object.values(value as object)) bare(field.message, one as Message);
  }
}

function pathOf({ field }: Violation): Path {
  const path: (string | number)[] = [];
  for (const step of field) {
    if (step.kind === "list_sub") path.push(step.index);
    else if (step.kind === "map_sub") path.push(String(step.key));
    else if (step.kind === "field") path.push(step.name);
  }
  return path;
}

/** Protovalidate's words, put as "must be Z: current value is V"; a field that is missing is said to be required. */
function message(violation: Violation, tree: MapTree, path: Path): string {
  const last = violation.field.at(-1);
  if (last?.kind === "oneof") return `must have one of ${last.fields.map(({ name }) => name).join(", ")}`;
  const value = valueAt(tree, path);
  const isField = last?.kind === "field";
  if (value === undefined && isField) {
    const names = last.enum?.values.filter(({ number }) => number !== 0).map(({ name }) => name);
    return names === undefined ? "is required" : `is required: must be one of ${names.join(", ")}`;
  }
  const words = violation.message
    .replace("does not match regex pattern", "must match the pattern")
    .replace("repeated value must contain unique items", "must name each value once")
    .replace("must be at least 1 characters", "must not be empty");
  const shown = violation.forKey ? path.at(-1) : value?.kind === "scalar" ? value.value : undefined;
  return shown === undefined ? words : `${words}: current value is ${JSON.stringify(shown)}`;
}
