import { create, createFileRegistry, equals, type FileRegistry, fromBinary, toBinary } from "@bufbuild/protobuf";
import type { GenMessage } from "@bufbuild/protobuf/codegenv2";
import {
  type DescriptorProto, DescriptorProtoSchema, type EnumDescriptorProto, EnumDescriptorProtoSchema, type FieldDescriptorProto, FieldDescriptorProtoSchema, type FileDescriptorProto, FileDescriptorProtoSchema, type FileDescriptorSet, FileDescriptorSetSchema,
  type ServiceDescriptorProto, ServiceDescriptorProtoSchema,
} from "@bufbuild/protobuf/wkt";
import {
  file_google_protobuf_duration, file_google_protobuf_empty, file_google_protobuf_field_mask, file_google_protobuf_struct, file_google_protobuf_timestamp, file_google_protobuf_wrappers,
} from "@bufbuild/protobuf/wkt";
import { readFileSync } from "node:fs";

const wellKnown = [file_google_protobuf_duration, file_google_protobuf_empty, file_google_protobuf_field_mask, file_google_protobuf_struct, file_google_protobuf_timestamp, file_google_protobuf_wrappers];

/** The descriptors of a config: one set of all its files' files, in canonical order. */
export interface Descriptors {
  readonly set: FileDescriptorSet;
  /** The types of the set; of as much as could be read, where there are problems. */
  readonly registry: FileRegistry;
  /** What is wrong. */
  readonly problems: readonly Problem[];
}

interface Problem {
  /** In the list of files. */
  readonly index: number;
  readonly severity: "error" | "warning";
  readonly message: string;
}

/**
 * Reads FileDescriptorSets (`buf build -o FILE`) and merges them: a file by name once, comments and unknown
 * extensions of the compiler left out, imports before what imports them, else by name.
 */
export function readDescriptors(files: readonly string[]): Descriptors {
  const problems: Problem[] = [];
  const byName = new Map<string, { file: FileDescriptorProto; index: number }>();
  for (const [index, path] of files.entries()) {
    const read = readSet(path);
    if (typeof read === "string") problems.push({ index, severity: "error", message: read });
    else {
      for (const file of read) {
        const known = byName.get(file.name);
        if (known === undefined) byName.set(file.name, { file, index });
        else if (!file.name.startsWith("google/protobuf/") && !equals(FileDescriptorProtoSchema, known.file, file)) {
          problems.push({ index, severity: "warning", message: `holds another ${file.name} than descriptors[${known.index}]: that one is taken` });
        }
      }
    }
  }
  problems.push(...definedTwice([...byName.values()]));
  // Whatever an Any holds, it may be one of these.
  if (byName.has("google/protobuf/any.proto")) for (const { proto: file } of wellKnown) if (!byName.has(file.name)) byName.set(file.name, { file: slim(file), index: 0 });
  for (const [name, { file, index }] of byName) {
    for (const missing of file.dependency.filter((dependency) => !byName.has(dependency))) {
      problems.push({ index, severity: "error", message: `lacks ${missing}, which ${name} imports: must hold all imports, as "buf build" (or "protoc --include_imports") writes them` });
    }
  }
  const set = create(FileDescriptorSetSchema, { file: importsFirst(new Map([...byName].map(([name, { file }]) => [name, file]))) });
  try {
    return { set, registry: createFileRegistry(set), problems };
  } catch (error) {
    if (!problems.some(({ severity }) => severity === "error")) problems.push({ index: 0, severity: "error", message: `cannot be linked: ${error instanceof Error ? error.message : String(error)}` });
    return { set, registry: createFileRegistry(), problems };
  }
}

/** A type that two files define, each in its own way: of files that were built from different roots nobody else would find it. */
function definedTwice(files: readonly { readonly file: FileDescriptorProto; readonly index: number }[]): Problem[] {
  const all = files.flatMap(({ file, index }) => definedIn(file).map(({ type, bytes }) => ({ type, bytes, index, name: file.name })));
  return [...Map.groupBy(all, ({ type }) => type).values()].flatMap(([first, ...others]) =>
    others.filter(({ bytes }) => Buffer.compare(bytes, first!.bytes) !== 0).map(({ type, name, index }): Problem => {
      const message = `must not define ${type} in ${name} in another way than descriptors[${first!.index}] does in ${first!.name}: one of them would be taken for both`;
      return { index, severity: "error", message };
    }));
}

/** What a file defines at its top, by full name. */
function definedIn({ package: name, messageType, enumType, service, extension }: FileDescriptorProto): { readonly type: string; readonly bytes: Uint8Array }[] {
  const all = <T extends DescriptorProto | EnumDescriptorProto | ServiceDescriptorProto | FieldDescriptorProto>(schema: GenMessage<T>, some: readonly T[]) =>
    some.map((one) => ({ type: name === "" ? one.name : `${name}.${one.name}`, bytes: toBinary(schema, one) }));
  return [...all(DescriptorProtoSchema, messageType), ...all(EnumDescriptorProtoSchema, enumType), ...all(ServiceDescriptorProtoSchema, service), ...all(FieldDescriptorProtoSchema, extension)];
}

/** The set's bytes; the same files give the same bytes. */
export function descriptorBytes(set: FileDescriptorSet): Uint8Array {
  return toBinary(FileDescriptorSetSchema, set);
}

function readSet(path: string): FileDescriptorProto[] | string {
  let bytes: Uint8Array;
  try {
    bytes = readFileSync(path);
  } catch (error) {
    return `must be a file that can be read: ${(error as NodeJS.ErrnoException).code === "ENOENT" ? `${path} does not exist` : String(error)}`;
  }
  const refusal = `must be a FileDescriptorSet in protobuf's binary form, as "buf build -o ${path.replace(/(?:\.(?:json|txtpb|yaml|gz|zst))+$/, ".binpb")}" writes it`;
  try {
    const { file } = fromBinary(FileDescriptorSetSchema, bytes);
    return file.length === 0 || file.some(({ name }) => name === "") ? refusal : file.map(slim);
  } catch {
    return refusal;
  }
}

/** Takes out of a file that was just read what no call needs: comments, and what the compiler noted for itself. */
function slim(file: FileDescriptorProto): FileDescriptorProto {
  delete file.sourceCodeInfo;
  delete file.$unknown;
  return file;
}

function importsFirst(files: ReadonlyMap<string, FileDescriptorProto>): FileDescriptorProto[] {
  const ordered = new Set<FileDescriptorProto>();
  const visiting = new Set<string>();
  const visit = (name: string) => {
    const file = files.get(name);
    if (file === undefined || ordered.has(file) || visiting.has(name)) return;
    visiting.add(name);
    for (const dependency of [...file.dependency].sort()) visit(dependency);
    ordered.add(file);
  };
  for (const name of [...files.keys()].sort()) visit(name);
  return [...ordered];
}
