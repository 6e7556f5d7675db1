import { formatPath, type Issue, type Path, type Position } from "./issue.ts";
import { keyPositionAt, positionAt, type Tree } from "./tree.ts";

/** Collects the issues of one file. */
export interface Report {
  readonly issues: readonly Issue[];
  /** An issue of the text itself: the value there is unusable, and nothing more is said of it. */
  spoilt(path: Path, at: Position, message: string): void;
  /**
   * An issue of a value that was read, unless it follows from a spoilt one. `key`: points at the value's key. `ofKey`: is one of that key, whatever
   * stands below it.
   */
  of(tree: Tree, path: Path, message: string, options?: { severity?: Issue["severity"]; key?: boolean; ofKey?: boolean }): void;
  /** An issue of another file. */
  elsewhere(issue: Issue): void;
  /** Says that nothing should be reported at a path, as what was meant for it stands elsewhere. */
  excuse(path: Path): void;
}

export function createReport(file: string): Report {
  const issues: Issue[] = [];
  const spoiltPaths: string[] = [];
  const add = (issue: Issue) => {
    const same = (other: Issue) => other.file === issue.file && other.at.line === issue.at.line && other.at.col === issue.at.col && other.message === issue.message;
    if (!issues.some(same)) issues.push(issue);
  };
  return {
    issues,
    spoilt(path, at, message) {
      spoiltPaths.push(formatPath(path));
      add({ severity: "error", file, at, path: formatPath(path), message });
    },
    of(tree, path, message, { severity = "error", ofKey = false, key = ofKey } = {}) {
      const text = formatPath(path);
      if (spoiltPaths.some((spoilt) => isWithin(text, spoilt) || (!ofKey && isField(spoilt, text)))) return;
      add({ severity, file, at: key ? keyPositionAt(tree, path) : positionAt(tree, path), path: text, message });
    },
    elsewhere: add,
    excuse: (path) => spoiltPaths.push(formatPath(path)),
  };
}

/** Whether a written path is another or leads on from it. */
function isWithin(path: string, outer: string): boolean {
  return path === outer || outer === "" || (path.startsWith(outer) && /^[.[]/.test(path.slice(outer.length)));
}

/** Whether a written path is a field of another: a rule over that whole may have failed because of it. */
function isField(path: string, outer: string): boolean {
  return path.startsWith(`${outer}.`) && /^[A-Za-z0-9_-]+$/.test(path.slice(outer.length + 1));
}
