import type { DescField, DescMessage } from "@bufbuild/protobuf";
import type { Path, Position } from "./issue.ts";

/** A YAML value that remembers where it stands. Anchors and merge keys are already resolved. */
export type Tree = MapTree | ListTree | ScalarTree;

export interface MapTree {
  readonly kind: "map";
  readonly at: Position;
  readonly entries: ReadonlyMap<string, Entry>;
}

export interface Entry {
  readonly keyAt: Position;
  readonly value: Tree;
}

export interface ListTree {
  readonly kind: "list";
  readonly at: Position;
  readonly items: readonly Tree[];
}

export interface ScalarTree {
  readonly kind: "scalar";
  readonly at: Position;
  readonly value: string | number | boolean | null;
}

/** The value at a path, or undefined where there is none. */
export function valueAt(tree: Tree, path: Path): Tree | undefined {
  let value: Tree | undefined = tree;
  for (const step of path) value = value && child(value, step)?.value;
  return value;
}

/**
 * Where to point for a path: at a scalar or a list's item itself, at the key of a map or list, and where the path
 * leads to nothing (a missing field), at the last thing there is.
 */
export function positionAt(tree: Tree, path: Path): Position {
  let value = tree;
  let at = tree.at;
  for (const step of path) {
    const next = child(value, step);
    if (next === undefined) return at;
    value = next.value;
    at = value.kind === "scalar" ? value.at : next.keyAt;
  }
  return at;
}

/** Where the key of a map's entry stands. */
export function keyPositionAt(tree: Tree, path: Path): Position {
  const parent = valueAt(tree, path.slice(0, -1));
  return (parent && child(parent, path.at(-1) ?? "")?.keyAt) ?? positionAt(tree, path);
}

/**
 * An overlay over a base, both of the type `desc`: maps merged key by key, lists and scalars replaced, and a choice among
 * several fields (a oneof) made anew; a null takes away what the base has. What comes from the overlay keeps its place there.
 */
export function merge(base: MapTree, overlay: MapTree, desc: DescMessage): MapTree {
  const entries = new Map(base.entries);
  for (const [key, entry] of overlay.entries) {
    if (isNull(entry.value)) {
      entries.delete(key);
      continue;
    }
    const field = desc.fields.find(({ name }) => name === key);
    for (const rival of field?.oneof?.fields ?? []) if (rival !== field) entries.delete(rival.name);
    const below = entries.get(key)?.value;
    entries.set(key, below === undefined ? entry : { keyAt: entry.keyAt, value: mergeField(below, entry.value, field) });
  }
  return { ...base, entries };
}

function mergeField(base: Tree, overlay: Tree, field: DescField | undefined): Tree {
  if (base.kind !== "map" || overlay.kind !== "map") return overlay;
  if (field?.fieldKind !== "map") return field?.message === undefined ? overlay : merge(base, overlay, field.message);
  const entries = new Map(base.entries);
  for (const [key, entry] of overlay.entries) {
    const below = entries.get(key)?.value;
    const merged = below?.kind === "map" && entry.value.kind === "map" && field.message !== undefined;
    if (isNull(entry.value)) entries.delete(key);
    else entries.set(key, merged ? { keyAt: entry.keyAt, value: merge(below, entry.value, field.message) } : entry);
  }
  return { ...base, entries };
}

export function isNull(tree: Tree): boolean {
  return tree.kind === "scalar" && tree.value === null;
}

/** A tree without its positions. */
export function toJson(tree: Tree): unknown {
  if (tree.kind === "scalar") return tree.value;
  if (tree.kind === "list") return tree.items.map(toJson);
  return Object.fromEntries([...tree.entries].map(([key, { value }]) => [key, toJson(value)]));
}

function child(tree: Tree, step: string | number): Entry | undefined {
  if (tree.kind === "map") return tree.entries.get(String(step));
  const item = tree.kind === "list" && typeof step === "number" ? tree.items[step] : undefined;
  return item && { keyAt: item.at, value: item };
}
