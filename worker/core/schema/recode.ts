import { createFileRegistry, type DescMessage, type DescMethod, fromBinary, fromJson, type JsonValue, type Registry, toBinary, toJson } from "@bufbuild/protobuf";
import { FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";
import { base64Decode } from "../protocol/base64.ts";
import type { Codec } from "../protocol/dialect.ts";
import { utf8 } from "../protocol/envelope.ts";
import { binaryFootprint } from "./binary-footprint.ts";
import { jsonFootprint, parsedBytes } from "./json-footprint.ts";
import { Unwritable } from "./unwritable.ts";

/**
 * Rewrites one message from a codec to the other; throws where it is no such message, and `Unwritable` where it is one that the
 * other codec has no words for. Before it makes anything of `data` it tells `charge` how many bytes that takes, which may throw.
 */
export type Recode = (data: Uint8Array<ArrayBuffer>, charge: (bytes: number) => void) => Uint8Array<ArrayBuffer>;

export interface MethodRecoder {
  /** From the caller's codec to the origin's. */
  readonly input: (from: Codec) => Recode;
  /** From the origin's codec to the caller's. */
  readonly output: (from: Codec) => Recode;
}

/**
 * Recoders by method path, over the descriptors of the compiled config (base64 of a FileDescriptorSet).
 * The registry is built at the first call that needs it: most proxies never recode, and none pays at start-up.
 */
export function recoders(descriptors: string | null): (path: string) => MethodRecoder | undefined {
  let registry: ReturnType<typeof createFileRegistry> | undefined;
  let known: Known | undefined;
  const byPath = new Map<string, MethodRecoder>();
  return (path) => {
    const made = byPath.get(path);
    if (made !== undefined || descriptors === null) return made;
    registry ??= createFileRegistry(fromBinary(FileDescriptorSetSchema, base64Decode(descriptors) ?? new Uint8Array(0)));
    const method = findMethod(registry, path);
    if (method === undefined) return undefined;
    const all = (known ??= { registry, ofJson: jsonFootprint(registry), ofBinary: binaryFootprint(registry, deepest * 4) });
    const recoder: MethodRecoder = {
      input: (from) => recode(method.input, all, from),
      output: (from) => recode(method.output, all, from),
    };
    byPath.set(path, recoder);
    return recoder;
  };
}

function findMethod(registry: ReturnType<typeof createFileRegistry>, path: string): DescMethod | undefined {
  const [, service = "", name = ""] = path.split("/");
  return registry.getService(service)?.methods.find((method) => method.name === name);
}

interface Known {
  readonly registry: Registry;
  readonly ofJson: ReturnType<typeof jsonFootprint>;
  readonly ofBinary: ReturnType<typeof binaryFootprint>;
}

/**
 * ProtoJSON as https://protobuf.dev/programming-guides/json/ has it. Fields that the descriptors do not know are left
 * out, in JSON as connect-go and connect-es do, in protobuf because they have no JSON form.
 */
function recode(type: DescMessage, { registry, ofJson, ofBinary }: Known, from: Codec): Recode {
  if (from === "proto") {
    return (data, charge) => {
      charge(ofBinary(type, data));
      const message = fromBinary(type, data, { recursionLimit: deepest * 4 });
      return utf8(JSON.stringify(inWords(() => toJson(type, message, { registry }))));
    };
  }
  return (data, charge) => {
    const text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: false }).decode(data);
    charge(parsedBytes(data));
    const json = JSON.parse(text) as JsonValue;
    charge(ofJson(type, json));
    const message = fromJson(type, json, { registry, ignoreUnknownFields: true, recursionLimit: deepest });
    return toBinary(type, message) as Uint8Array<ArrayBuffer>;
  };
}

/** Levels of JSON that are read. A level of a Struct takes three in protobuf. */
const deepest = 100;

/** A message that JSON has no words for is no malformed one. What the error repeats of it is taken out, but for the URL of a type. */
function inWords(write: () => JsonValue): JsonValue {
  try {
    return write();
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new Unwritable(why.replaceAll(/"(?![^"]*\/[\w.]+")[^"]*"/g, "…"), { cause: error });
  }
}
