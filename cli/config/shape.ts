import { type DescEnum, type DescField, type DescMessage, ScalarType } from "@bufbuild/protobuf";
import { durationFromText, durationToProtoJson } from "./duration.ts";
import type { Path } from "./issue.ts";
import type { Report } from "./report.ts";
import { didYouMean, nearest } from "./suggest.ts";
import { type Entry, isNull, type MapTree, type ScalarTree, type Tree } from "./tree.ts";

/**
 * Brings a tree into the shape of a message: fields by their protobuf names, durations as ProtoJSON has them, nulls
 * left out but in an environment, where they take away what the file has. What does not fit is reported with its place and replaced by an empty value, so that the rest can be
 * checked and indices hold.
 */
export function shapeMessage(tree: Tree, desc: DescMessage, path: Path, report: Report): MapTree {
  if (tree.kind !== "map") {
    if (!isNull(tree) || !mayBeEmpty(path)) report.spoilt(path, tree.at, `must be a map of ${desc.name} fields: ${current(tree)}`);
    return { kind: "map", at: tree.at, entries: new Map() };
  }
  const entries = new Map<string, Entry>();
  const oneofs = new Map<string, string>();
  for (const [key, { keyAt, value }] of tree.entries) {
    const field = desc.fields.find(({ name, jsonName }) => name === key || jsonName === key);
    if (field === undefined) {
      const names = desc.fields.map(({ name }) => name);
      report.spoilt([...path, key], keyAt, `unknown field${didYouMean(key, names) || `: must be one of ${names.join(", ")}`}`);
      const meant = nearest(key, names);
      if (meant !== undefined && !tree.entries.has(meant)) report.excuse([...path, meant]);
      continue;
    }
    if (entries.has(field.name)) report.spoilt([...path, key], keyAt, `must be given once: it is another spelling of ${field.name}`);
    const before = field.oneof === undefined ? undefined : oneofs.get(field.oneof.name);
    if (before !== undefined) report.spoilt([...path, key], keyAt, `cannot stand beside ${before}: must be one of ${field.oneof?.fields.map(({ name }) => name).join(", ")}`);
    else if (isNull(value)) {
      if (takesAway(path)) entries.set(field.name, { keyAt, value });
    } else {
      if (field.oneof !== undefined && !field.proto.proto3Optional) oneofs.set(field.oneof.name, field.name);
      const shaped = shapeField(value, field, [...path, field.name], report);
      if (shaped !== undefined) entries.set(field.name, { keyAt, value: shaped });
    }
  }
  return { kind: "map", at: tree.at, entries };
}

function shapeField(tree: Tree, field: DescField, path: Path, report: Report): Tree | undefined {
  if (field.fieldKind === "list") {
    if (tree.kind === "list") return { ...tree, items: tree.items.map((item, i) => shapeItem(item, field, [...path, i], report)) };
    report.spoilt(path, tree.at, `must be a list: ${current(tree)}`);
    return undefined;
  }
  if (field.fieldKind === "map") {
    if (tree.kind === "map") return { ...tree, entries: shapeEntries(tree, field, path, report) };
    report.spoilt(path, tree.at, `must be a map by name: ${current(tree)}`);
    return undefined;
  }
  return shapeValue(tree, field, path, report);
}

function shapeEntries(tree: MapTree, field: DescField, path: Path, report: Report): MapTree["entries"] {
  const shape = (value: Tree, at: Path): Tree => (isNull(value) && takesAway(path) ? value : shapeItem(value, field, at, report));
  return new Map([...tree.entries].map(([key, { keyAt, value }]) => [key, { keyAt, value: shape(value, [...path, key]) }]));
}

/** An item of a list or map: it keeps its place even where it is unusable. */
function shapeItem(tree: Tree, field: DescField, path: Path, report: Report): Tree {
  const empty = field.enum?.values[0]?.name ?? "";
  return shapeValue(tree, field, path, report) ?? { kind: "scalar", at: tree.at, value: empty };
}

function shapeValue(tree: Tree, field: DescField, path: Path, report: Report): Tree | undefined {
  if (field.message?.typeName === "google.protobuf.Duration") return shapeDuration(tree, path, report);
  if (field.message !== undefined) return shapeMessage(tree, field.message, path, report);
  const refusal = tree.kind !== "scalar" ? `must be ${typeName(field)}` : field.enum === undefined ? refuseScalar(tree, field) : refuseName(tree, field.enum);
  if (refusal === undefined) return tree;
  report.spoilt(path, tree.at, refusal.includes("did you mean") ? refusal : `${refusal}: ${current(tree)}`);
  return undefined;
}

function shapeDuration(tree: Tree, path: Path, report: Report): Tree | undefined {
  const ms = tree.kind === "scalar" && typeof tree.value === "string" ? durationFromText(tree.value) : undefined;
  if (ms !== undefined) return { kind: "scalar", at: tree.at, value: durationToProtoJson(ms) };
  report.spoilt(path, tree.at, `must be a duration in whole milliseconds, such as "15s", "1.5s", "500ms", "2m" or "1h": ${current(tree)}`);
  return undefined;
}

function refuseScalar({ value }: ScalarTree, field: DescField): string | undefined {
  const fits =
    field.scalar === ScalarType.STRING ? typeof value === "string"
    : field.scalar === ScalarType.BOOL ? typeof value === "boolean"
    : field.scalar === ScalarType.UINT32 ? Number.isInteger(value) && Number(value) >= 0 && Number(value) <= 0xffff_ffff
    : field.scalar === ScalarType.DOUBLE ? Number.isFinite(value)
    : true;
  return fits ? undefined : `must be ${typeName(field)}`;
}

function refuseName({ value }: ScalarTree, desc: DescEnum): string | undefined {
  const names = desc.values.map(({ name }) => name).filter((name) => !name.endsWith("_UNSPECIFIED"));
  if (typeof value === "string" && desc.values.some(({ name }) => name === value)) return undefined;
  const meant = typeof value === "string" ? nearest(value, names) : undefined;
  return `must be one of ${names.join(", ")}${meant === undefined ? "" : `: current value is ${JSON.stringify(value)}, did you mean ${meant}?`}`;
}

function typeName(field: DescField): string {
  if (field.enum !== undefined) return "a name";
  if (field.scalar === ScalarType.BOOL) return "true or false";
  if (field.scalar === ScalarType.DOUBLE) return "a number";
  return field.scalar === ScalarType.UINT32 ? "a whole number from 0 to 4294967295" : "a text (in quotes, where it looks like another thing)";
}

/** Whether a file, or an environment of it, may say nothing. */
function mayBeEmpty(path: Path): boolean {
  return path.length === 0 || (path.length === 2 && path[0] === "environments");
}

/** Whether a path is inside an environment. */
function takesAway(path: Path): boolean {
  return path[0] === "environments" && path.length > 1;
}

function current(tree: Tree): string {
  return `current value is ${tree.kind === "scalar" ? JSON.stringify(tree.value) : `a ${tree.kind}`}`;
}
