import { createFileRegistry, type DescEnum, type DescField, type DescMessage, fromBinary, getOption, hasOption, isFieldSet, ScalarType } from "@bufbuild/protobuf";
import { FeatureSet_FieldPresence, type FileDescriptorProto, FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";
import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { field as fieldOption, type FieldRules, FieldRulesSchema, message as messageOption, oneof as oneofOption } from "../gen/buf/validate/validate_pb.js";

/** `npm run gen`: writes configuration.md from config.proto and auth.proto. */

const source = "fairlead/config/v1";

/** What the page says before the fields. */
const head = `# Configuration

<!-- Written by "npm run gen" from the comments and rules of config.proto and auth.proto: change them there. -->

All fields of \`fairlead.yaml\`, generated from [config.proto](../proto/${source}/config.proto) and
[auth.proto](../proto/${source}/auth.proto). \`npx fairlead check\` holds a
file to all that stands here, and to what only shows when the whole is looked at: names that lead nowhere, routes that
cannot be reached. How the routing fields work together: [routing.md](routing.md); how those of \`auth\` do: [authentication.md](authentication.md).

- A **duration** is a text in whole milliseconds: \`"15s"\`, \`"1.5s"\`, \`"500ms"\`, \`"2m"\` or \`"1h"\`.
- A **whole number** is 0 or more. Patterns are regular expressions (RE2).
- A field is optional unless it is said to be **required**.
- Anchors and merge keys of YAML (\`<<: *name\`) may be used.
`;

/** The page, from a FileDescriptorSet with comments (source info). The same set gives the same page. */
export function configurationPage(set: Uint8Array): string {
  const registry = createFileRegistry(fromBinary(FileDescriptorSetSchema, set));
  const root = registry.getMessage("fairlead.config.v1.Config");
  if (root === undefined) throw new Error("Cannot write the page as the set must hold fairlead.config.v1.Config");
  const messages = [...new Set(reading(root, []))];
  const comments = commentsOf([...registry.files].map(({ proto }) => proto));
  const contents = messages.map((message) => link(message)).join(" · ");
  return [`${head}\nSections: ${contents}`, ...messages.map((message) => section(message, comments))].join("\n\n") + "\n";
}

/** A message and those that its fields lead to, in the order in which a reader meets them. */
function reading(message: DescMessage, above: readonly DescMessage[]): DescMessage[] {
  if (above.includes(message)) return [];
  return [message, ...message.fields.flatMap(({ message: of }) => (of === undefined || isDuration(of) ? [] : reading(of, [...above, message])))];
}

type Comments = (desc: DescMessage | DescField | DescEnum | DescEnum["values"][number]) => string;

/** The comment before a declaration, as one paragraph of Markdown; "" where there is none. */
function commentsOf(files: readonly FileDescriptorProto[]): Comments {
  const byPath = new Map(files.map((file) => [file, new Map(file.sourceCodeInfo?.location.map(({ path, leadingComments }) => [path.join("."), leadingComments]))]));
  const pathOf: (desc: Parameters<Comments>[0]) => number[] = (desc) => {
    const { proto: file } = fileOf(desc);
    switch (desc.kind) {
      case "message": return [4, file.messageType.indexOf(desc.proto)];
      case "enum": return [5, file.enumType.indexOf(desc.proto)];
      case "field": return [...pathOf(desc.parent), 2, desc.parent.proto.field.indexOf(desc.proto)];
      case "enum_value": return [...pathOf(desc.parent), 2, desc.parent.proto.value.indexOf(desc.proto)];
    }
  };
  return (desc) => prose((byPath.get(fileOf(desc).proto)?.get(pathOf(desc).join(".")) ?? "").replaceAll(/\s+/g, " ").trim());
}

function fileOf(desc: Parameters<Comments>[0]): DescMessage["file"] {
  return "file" in desc ? desc.file : desc.parent.file;
}

function section(message: DescMessage, comments: Comments): string {
  const about = [comments(message), ...messageRules(message).map((rule) => `Rule: ${rule}.`)].filter((text) => text !== "");
  const name = message.name === "Config" ? "Config, the whole file" : message.name;
  return [`## ${name}`, ...about, message.fields.map((field) => entry(field, comments)).join("\n")].join("\n\n");
}

/** A field: its name, type and bounds on one line, below it what it means. */
function entry(field: DescField, comments: Comments): string {
  const [said, values] = [comments(field), field.enum === undefined ? [] : named(field.enum, fieldRules(field))];
  const bounds = boundsOf(field);
  const otherwise = field.enum === undefined || said.includes("Default") ? "" : comments(field.enum.values[0]!);
  const lines = [
    ...[said, otherwise === "" ? "" : `Default ${otherwise}`].filter((text) => text !== ""),
    ...values.map((value) => [`- ${code(value.name)}`, comments(value)].filter((text) => text !== "").join(": ")),
  ];
  const title = `- **${code(field.name)}**: ${[typeOf(field), ...bounds].join("; ")}`;
  return [`${title}${lines.length > 0 && !lines[0]!.startsWith("- ") ? "<br>" : ""}`, ...lines.map((line) => `  ${line}`)].join("\n");
}

/** The values that can be written: what a field is without any is no value. */
function named({ values }: DescEnum, rules: FieldRules | undefined): DescEnum["values"] {
  const own = rules?.type.case === "repeated" ? rules.type.value.items : rules;
  const refused = own?.type.case === "enum" ? own.type.value.notIn : [];
  return values.filter(({ name, number }) => !refused.includes(number) && !name.endsWith("_UNSPECIFIED"));
}

function typeOf(field: DescField): string {
  const one = field.message !== undefined ? (isDuration(field.message) ? "duration" : link(field.message)) : field.enum !== undefined ? "name (below)" : scalarOf(field.scalar!);
  if (field.fieldKind === "list") return `list of ${one.startsWith("name") ? "names (below)" : one.startsWith("[") ? one : `${one}s`}`;
  return field.fieldKind === "map" ? `map from name to ${one}` : one;
}

function scalarOf(type: ScalarType): string {
  switch (type) {
    case ScalarType.STRING: return "text";
    case ScalarType.BOOL: return "true or false";
    case ScalarType.UINT32: return "whole number";
    case ScalarType.DOUBLE: return "number";
    default: throw new Error(`Cannot describe a field as its type must be text, bool, uint32 or double: current value is ${ScalarType[type]}`);
  }
}

function fieldRules(field: DescField): FieldRules | undefined {
  return hasOption(field, fieldOption) ? getOption(field, fieldOption) : undefined;
}

/** The rules of a message, and of its oneofs that must be set. */
function messageRules(message: DescMessage): string[] {
  const names = message.fields.map(({ name }) => name);
  const rules = hasOption(message, messageOption) ? getOption(message, messageOption).cel : [];
  const oneofs = message.oneofs.map((oneof) => `${hasOption(oneof, oneofOption) && getOption(oneof, oneofOption).required ? "must have exactly one" : "may have one"} of ${list(oneof.fields.map(({ name }) => code(name)))}`);
  return [...rules.map((rule) => prose(rule.message, names)), ...oneofs];
}

function boundsOf(field: DescField): string[] {
  const rules = fieldRules(field);
  if (rules === undefined) return [];
  return [...(isRequired(field, rules) ? ["**required**"] : []), ...words(rules, field, ""), ...rules.cel.map(({ message }) => prose(message))];
}

/** Said outright, or by a rule that the value of a field that is not there breaks. */
function isRequired({ presence, fieldKind, name }: DescField, { required, type }: FieldRules): boolean {
  if (required) return true;
  if (type.case === "repeated") return type.value.minItems > 0n;
  if (fieldKind !== "scalar" && fieldKind !== "enum") return false;
  if (presence !== FeatureSet_FieldPresence.IMPLICIT) return false;
  switch (type.case) {
    case "string": return type.value.minLen > 0n || !new RegExp(type.value.pattern).test("");
    case "enum": return type.value.notIn.includes(0);
    case "bool": case "uint32": case "double": case undefined: return false;
    default: throw unworded(name, type.case);
  }
}

/** Rules in words. A rule for which there are none fails: a page that leaves one out would be wrong. */
function words(rules: FieldRules, field: DescField, each: string): string[] {
  const { type } = rules;
  const known = new Set(["required", "cel", "ignore", type.case]);
  for (const rule of FieldRulesSchema.fields) if (isFieldSet(rules, rule) && !known.has(rule.name)) throw unworded(field.name, rule.name);
  const said = (text: string): string[] => [`${each}${text}`];
  switch (type.case) {
    case undefined: return [];
    case "string": {
      expectOnly(type.value, ["pattern", "minLen", "in"], field);
      const { pattern, minLen, in: among } = type.value;
      if (among.length > 0) return said(`one of ${among.map(code).join(", ")}`);
      return [...(minLen > 0n && each !== "" ? said("not empty") : []), ...(pattern === "" ? [] : said(`matching ${code(pattern)}`))];
    }
    case "enum": expectOnly(type.value, ["definedOnly", "notIn"], field); return [];
    case "bool": expectOnly(type.value, ["const"], field); return said(`only ${code(String(type.value.const))}`);
    case "uint32": case "double": {
      expectOnly(type.value, ["greaterThan", "lessThan"], field);
      const { greaterThan, lessThan } = type.value;
      return said(range([greaterThan.case, greaterThan.value], [lessThan.case, lessThan.value], (n) => quantity(n, field)));
    }
    case "duration": {
      expectOnly(type.value, ["greaterThan", "lessThan"], field);
      const { greaterThan, lessThan } = type.value;
      return said(range([greaterThan.case, Number(greaterThan.value?.seconds)], [lessThan.case, Number(lessThan.value?.seconds)], span));
    }
    case "repeated": {
      expectOnly(type.value, ["minItems", "unique", "items"], field);
      const { minItems, unique, items } = type.value;
      return [...(minItems > 0n ? [`at least ${minItems === 1n ? "one" : minItems}`] : []), ...(unique ? ["each value once"] : []), ...(items === undefined ? [] : words(items, field, "each "))];
    }
    case "map": {
      expectOnly(type.value, ["keys", "values"], field);
      return [...(type.value.keys ? words(type.value.keys, field, "names ") : []), ...(type.value.values ? words(type.value.values, field, "values ") : [])];
    }
    default: throw unworded(field.name, type.case);
  }
}

function expectOnly(rules: object, names: readonly string[], field: DescField): void {
  for (const [name, value] of Object.entries(rules)) {
    const isThere = Array.isArray(value) ? value.length > 0 : typeof value === "object" ? (value as { case?: string } | null)?.case !== undefined : Boolean(value);
    if (isThere && !name.startsWith("$") && !names.includes(name)) throw unworded(field.name, name);
  }
}

function unworded(field: string, rule: string | undefined): Error {
  return new Error(`Cannot describe ${field} as its rule ${rule} has no words here yet`);
}

type Bound = readonly [kind: string | undefined, value: number | undefined];

function range([lower, least]: Bound, [upper, most]: Bound, write: (n: number) => string): string {
  if (lower === "gte" && upper === "lte") return `${write(least!)} to ${write(most!)}`;
  const from = lower === undefined ? [] : [`${lower === "gt" ? "more than" : "at least"} ${write(least!)}`];
  return [...from, ...(upper === undefined ? [] : [`${upper === "lt" ? "less than" : "at most"} ${write(most!)}`])].join(", ");
}

/** A number; of bytes also in MiB or KiB, where it is a whole number of them. */
function quantity(n: number, { name }: DescField): string {
  const [size, unit] = n % (1 << 20) === 0 ? [1 << 20, "MiB"] : [1 << 10, "KiB"];
  return name.endsWith("_bytes") && n > 0 && n % size === 0 ? `${n} (${n / size} ${unit})` : String(n);
}

/** Seconds as a config has them. */
function span(seconds: number): string {
  const [size, unit] = seconds > 0 && seconds % 3600 === 0 ? [3600, "h"] : [1, "s"];
  return code(`${seconds / size}${unit}`);
}

function isDuration({ typeName }: DescMessage): boolean {
  return typeName === "google.protobuf.Duration";
}

function link({ name }: DescMessage): string {
  return `[${name}](#${name === "Config" ? "config-the-whole-file" : name.toLowerCase()})`;
}

function list(names: readonly string[]): string {
  return names.length < 2 ? names.join("") : `${names.slice(0, -1).join(", ")} and ${names.at(-1)}`;
}

function code(text: string): string {
  return text.includes("`") ? `\`\` ${text} \`\`` : `\`${text}\``;
}

/** A comment as Markdown: what stands in backticks stays, names of fields and quoted words come into them, the rest is taken literally. */
function prose(text: string, names: readonly string[] = []): string {
  const literally = (part: string): string => part
    .split(/([A-Za-z0-9_]+)/)
    .map((word) => (names.includes(word) || /^[a-z]+(_[a-z]+)+$/.test(word) ? code(word) : word.replaceAll(/[*_<>[\]\\|#]/g, String.raw`\$&`)))
    .join("");
  const marked = text.replaceAll(/`[^`]*`|"[^" ]+"/g, (part) => (part.startsWith("`") ? part : code(part)));
  return marked.split(/(`[^`]*`)/).map((part, i) => (i % 2 === 1 ? part : literally(part))).join("");
}

if (import.meta.main) {
  const root = join(import.meta.dirname, "..");
  const set = execFileSync("buf", ["build", "--path", `proto/${source}`, "-o", "-"], { cwd: root, maxBuffer: 1 << 26 });
  writeFileSync(join(root, "docs/configuration.md"), configurationPage(set));
}
