import { createFileRegistry, type DescMessage, type DescMethod, fromBinary, fromJson, type JsonValue, type Registry, toBinary, toJson } from "@bufbuild/protobuf";
import { FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";
import { base64Decode } from "../protocol/base64.ts";
import type { Codec } from "../protocol/dialect.ts";
import { utf8 } from "../protocol/envelope.ts";

/** Rewrites one message from a codec to the other; throws where it is no such message. */
export type Recode = (data: Uint8Array<ArrayBuffer>) => Uint8Array<ArrayBuffer>;

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
  const byPath = new Map<string, MethodRecoder>();
  return (path) => {
    const known = byPath.get(path);
    if (known !== undefined || descriptors === null) return known;
    registry ??= createFileRegistry(fromBinary(FileDescriptorSetSchema, base64Decode(descriptors) ?? new Uint8Array(0)));
    const method = findMethod(registry, path);
    if (method === undefined) return undefined;
    const recoder: MethodRecoder = {
      input: (from) => recode(method.input, registry!, from),
      output: (from) => recode(method.output, registry!, from),
    };
    byPath.set(path, recoder);
    return recoder;
  };
}

function findMethod(registry: ReturnType<typeof createFileRegistry>, path: string): DescMethod | undefined {
  const [, service = "", name = ""] = path.split("/");
  return registry.getService(service)?.methods.find((method) => method.name === name);
}

/**
 * ProtoJSON as https://protobuf.dev/programming-guides/json/ has it. Fields that the descriptors do not know are left
 * out, in JSON as connect-go and connect-es do, in protobuf because they have no JSON form.
 */
function recode(type: DescMessage, registry: Registry, from: Codec): Recode {
  if (from === "proto") {
    return (data) => utf8(JSON.stringify(toJson(type, fromBinary(type, data, { recursionLimit: deepest * 4 }), { registry })));
  }
  return (data) => {
    const message = fromJson(type, parse(data), { registry, ignoreUnknownFields: true, recursionLimit: deepest });
    return toBinary(type, message) as Uint8Array<ArrayBuffer>;
  };
}

/** Levels of JSON that are read. A level of a Struct takes three in protobuf. */
const deepest = 100;

function parse(data: Uint8Array): JsonValue {
  const text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: false }).decode(data);
  return (suspicious.test(text) ? JSON.parse(text, refuseUnwritable) : JSON.parse(text)) as JsonValue;
}

/** Where a number may be beyond the range of a double, or text may have half a surrogate pair: neither can be written in protobuf. */
const suspicious = /\d[eE]\+?\d{3}|\d{309}|\\u[dD][89a-fA-F]/;

function refuseUnwritable(key: string, value: unknown): unknown {
  if (value === Infinity || value === -Infinity) throw new Error(`the number of ${JSON.stringify(key.slice(0, 100))} must be in the range of a double`);
  if (!key.isWellFormed() || (typeof value === "string" && !value.isWellFormed())) throw new Error(`the text of ${JSON.stringify(key.slice(0, 100))} must be Unicode, without half a surrogate pair`);
  return value;
}
