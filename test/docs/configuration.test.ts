import type { DescMessage } from "@bufbuild/protobuf";
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { configurationPage } from "../../docs/generate.ts";
import { file_fairlead_config_v1_auth as auth } from "../../gen/fairlead/config/v1/auth_pb.js";
import { file_fairlead_config_v1_config as config } from "../../gen/fairlead/config/v1/config_pb.js";

const root = join(import.meta.dirname, "../..");
const page = readFileSync(join(root, "docs/configuration.md"), "utf8");
const sections = new Map(page.split(/^## /m).slice(1).map((text) => [/^\w+/.exec(text)?.[0], text]));

test("the page is what `npm run gen` writes", () => {
  const set = execFileSync(join(root, "node_modules/.bin/buf"), ["build", "--path", "proto/fairlead/config", "-o", "-"], { cwd: root, maxBuffer: 1 << 26 });
  expect(configurationPage(set)).toBe(page);
});

test.each([...config.messages, ...auth.messages].map((message): [string, DescMessage] => [message.name, message]))("%s has a section, with every field once and in the proto's order", (name, message) => {
  const fields = [...(sections.get(name) ?? "").matchAll(/^- \*\*`(\w+)`\*\*/gm)].map(([, field]) => field);
  expect(fields).toEqual(message.proto.field.map((field) => field.name));
});

test("every value of an enum can be read, but those that stand for none", () => {
  for (const { values } of [...config.enums, ...auth.enums]) for (const { name } of values) expect(page.includes(`  - \`${name}\``), name).toBe(!name.endsWith("_UNSPECIFIED"));
});

test("every link leads to a section", () => {
  const anchors = [...page.matchAll(/^## (.*)$/gm)].map(([, heading]) => heading!.toLowerCase().replaceAll(/[^a-z0-9 ]/g, "").replaceAll(" ", "-"));
  for (const [, anchor] of page.matchAll(/\]\(#([^)]*)\)/g)) expect(anchors).toContain(anchor);
});

test.each([
  ["Method", "- **`path`**: text; **required**; matching `^/[A-Za-z_][A-Za-z0-9_.]*/[A-Za-z_][A-Za-z0-9_]*$`"],
  ["Cluster", "- **`dialect`**: name (below); **required**"],
  ["Cluster", "- **`localities`**: list of [Locality](#locality); **required**; at least one"],
  ["Locality", "- **`weight`**: whole number; at most 1000000"],
  ["Route", "- **`timeout`**: duration; more than `0s`, at most `1h`"],
  ["Route", "Rule: must have either `cluster` or `split`."],
  ["Sticky", "Rule: must have exactly one of `header`, `cookie` and `client_address`."],
  ["Residency", "- **`countries`**: list of texts; each value once; each matching `^[A-Z]{2}$`"],
  ["Provider", "- **`clock_skew`**: duration; `0s` to `60s`<br>\n  How far clocks may be apart. Default 30s."],
  ["Limits", "- **`url_bytes`**: whole number; 256 to 65536 (64 KiB)"],
])("rules are told in words: %s %s", (name, line) => expect(sections.get(name)).toContain(line));
