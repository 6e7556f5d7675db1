import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll } from "vitest";
import { check } from "../../cli/config/check.ts";
import { packagePath } from "../../cli/serve/root.ts";

/** A page of docs/, and its examples: YAML blocks by the heading they stand under. */
export function docsPage(name: string) {
  const page = readFileSync(packagePath(`docs/${name}`), "utf8");
  const examples = new Map(
    page.split(/^#{2,4} /m).flatMap((section) => {
      const heading = section.slice(0, section.indexOf("\n"));
      return [...section.matchAll(/^```yaml\n([^]*?)^```/gm)].map(([, yaml]) => [heading, yaml ?? ""] as const);
    }),
  );
  const directory = mkdtempSync(join(tmpdir(), "fairlead-docs-"));
  afterAll(() => rmSync(directory, { recursive: true, force: true }));

  /** What `check` says of an example. */
  function checked(heading: string, env?: string): ReturnType<typeof check> {
    const file = join(directory, "fairlead.yaml");
    writeFileSync(file, examples.get(heading) ?? "");
    return check(file, { env });
  }

  return { page, examples, checked };
}
