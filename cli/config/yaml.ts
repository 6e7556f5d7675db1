import { type Document, isAlias, isMap, isScalar, isSeq, LineCounter, type Pair, parseDocument } from "yaml";
import type { Path, Position } from "./issue.ts";
import type { Entry, MapTree, Tree } from "./tree.ts";

export interface Parsed {
  /** Undefined where the text is no YAML. */
  readonly tree: Tree | undefined;
  readonly problems: readonly Problem[];
}

interface Problem {
  readonly at: Position;
  readonly path: Path;
  readonly message: string;
}

/** More values than this come from aliases of aliases, not from a person. */
const maxValues = 200_000;

/**
 * Reads YAML 1.2 with anchors and merge keys (`<<: *name`). Every syntax error is reported. Of a key that is given
 * twice, the first counts, so that the rest can be checked.
 */
export function parseYaml(text: string): Parsed {
  const lines = new LineCounter();
  // uniqueKeys: off, since the parser's own report of a key that is given twice has no path.
  const document = parseDocument(text, { lineCounter: lines, merge: true, prettyErrors: false, uniqueKeys: false });
  const problems: Problem[] = [];
  for (const { pos, message } of [...document.errors, ...document.warnings]) problems.push({ at: lines.linePos(pos[0]), path: [], message });
  if (document.errors.length > 0) return { tree: undefined, problems };
  return { tree: readTree(document, lines, (at, path, message) => problems.push({ at, path, message })), problems };
}

function readTree(document: Document, lines: LineCounter, report: (at: Position, path: Path, message: string) => void): Tree {
  let values = 0;
  const within = new Set<unknown>();
  const position = (node: unknown): Position => {
    const range = (node as { range?: [number, number, number] | null } | null)?.range;
    return range ? lines.linePos(range[0]) : { line: 1, col: 1 };
  };

  function read(node: unknown, otherwise: Position, path: Path): Tree {
    const at = node === null ? otherwise : position(node);
    const nothing: Tree = { kind: "scalar", at, value: null };
    if (isAlias(node)) {
      const target = node.resolve(document);
      const refusal = target === undefined ? `no anchor is named &${node.source}` : within.has(target) ? `*${node.source} stands within its own anchor` : undefined;
      if (refusal !== undefined) report(at, path, refusal);
      return refusal === undefined ? { ...read(target, at, path), at } : nothing;
    }
    if (++values >= maxValues) {
      if (values === maxValues) report(at, path, `must have fewer than ${maxValues} values, aliases resolved`);
      return nothing;
    }
    if (isScalar(node)) return { kind: "scalar", at, value: scalar(node.value) };
    if (!isMap(node) && !isSeq(node)) return nothing;
    within.add(node);
    const tree: Tree = isMap(node)
      ? { kind: "map", at, entries: entries(node.items, at, path) }
      : { kind: "list", at, items: node.items.map((item, i) => read(item, at, [...path, i])) };
    within.delete(node);
    return tree;
  }

  function entries(pairs: readonly Pair[], at: Position, path: Path): MapTree["entries"] {
    const own = new Map<string, Entry>();
    const merged = new Map<string, Entry>();
    for (const { key, value } of pairs) {
      const keyAt = key === null ? at : position(key);
      if (isMergeKey(key)) {
        const tree = read(value, keyAt, path);
        for (const from of tree.kind === "list" ? tree.items : [tree]) {
          if (from.kind !== "map") report(keyAt, path, "<< must name a map or a list of maps");
          else for (const [name, entry] of from.entries) if (!merged.has(name)) merged.set(name, entry);
        }
      } else {
        const name = isScalar(key) ? String(key.value) : String(key);
        const before = own.get(name);
        if (before === undefined) own.set(name, { keyAt, value: read(value, keyAt, [...path, name]) });
        else report(keyAt, [...path, name], `must be given once: line ${before.keyAt.line} gives it already`);
      }
    }
    for (const [name, entry] of merged) if (!own.has(name)) own.set(name, entry);
    return own;
  }

  return read(document.contents, { line: 1, col: 1 }, []);
}

function isMergeKey(key: unknown): boolean {
  return isScalar(key) && (key.value === "<<" || (typeof key.value === "symbol" && key.value.description === "<<"));
}

function scalar(value: unknown): string | number | boolean | null {
  return value === null || typeof value === "string" || typeof value === "number" || typeof value === "boolean" ? value : String(value);
}
