import { create, createFileRegistry, equals, type FileRegistry, fromBinary, toBinary } from "@bufbuild/protobuf";
import { type FileDescriptorProto, FileDescriptorProtoSchema, type FileDescriptorSet, FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";
import { readFileSync } from "node:fs";

/** The descriptors of a config: one set of all its files' files, in canonical order. */
export interface Descriptors {
  readonly set: FileDescriptorSet;
  /** The types of the set; of as much as could be read, where there are problems. */
  readonly registry: FileRegistry;
  /** What is wrong, by index in the list of files. */
  readonly problems: readonly { readonly index: number; readonly severity: "error" | "warning"; readonly message: string }[];
}

/**
 * Reads FileDescriptorSets (`buf build -o FILE`) and merges them: a file by name once, comments and unknown
 * extensions of the compiler left out, imports before what imports them, else by name.
 */
export function readDescriptors(files: readonly string[]): Descriptors {
  const problems: { index: number; severity: "error" | "warning"; message: string }[] = [];
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
  const refusal = `must be a FileDescriptorSet, as "buf build -o ${path}" writes it`;
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
