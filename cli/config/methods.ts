import type { FileRegistry } from "@bufbuild/protobuf";
import { MethodOptions_IdempotencyLevel } from "@bufbuild/protobuf/wkt";
import type { Policy } from "../../gen/fairlead/policy/v1/policy_pb.js";
import { type Config, Idempotency, Kind, type Method } from "../../gen/fairlead/config/v1/config_pb.js";
import type { CompiledMethod, Idempotency as IdempotencyName, MethodKind } from "../../worker/core/config/compiled.ts";
import { compileCacheHints } from "./cache-hints.ts";
import { durationMs } from "./duration.ts";
import { schemaPolicies } from "./schema-policies.ts";

const kinds: Readonly<Record<Kind, MethodKind>> = {
  [Kind.KIND_UNSPECIFIED]: "unary",
  [Kind.UNARY]: "unary",
  [Kind.CLIENT_STREAM]: "client-stream",
  [Kind.SERVER_STREAM]: "server-stream",
  [Kind.BIDI_STREAM]: "bidi-stream",
};

const streaming = { unary: "unary", client_streaming: "client-stream", server_streaming: "server-stream", bidi_streaming: "bidi-stream" } as const;

const levels: Readonly<Record<MethodOptions_IdempotencyLevel, IdempotencyName>> = {
  [MethodOptions_IdempotencyLevel.IDEMPOTENCY_UNKNOWN]: "unknown",
  [MethodOptions_IdempotencyLevel.NO_SIDE_EFFECTS]: "no-side-effects",
  [MethodOptions_IdempotencyLevel.IDEMPOTENT]: "idempotent",
};

const idempotencies: Readonly<Record<Idempotency, IdempotencyName>> = {
  [Idempotency.IDEMPOTENCY_UNKNOWN]: "unknown",
  [Idempotency.NO_SIDE_EFFECTS]: "no-side-effects",
  [Idempotency.IDEMPOTENT]: "idempotent",
};

/** The methods of the descriptors' services, by path. */
export function describedMethods(registry: FileRegistry): Map<string, CompiledMethod> {
  const methods = new Map<string, CompiledMethod>();
  const policies = new Map(schemaPolicies(registry).map(({ method, policy }) => [method, policy]));
  for (const file of registry.files) {
    for (const service of file.services) {
      for (const { name, methodKind, idempotency } of service.methods) {
        const path = `/${service.typeName}/${name}`;
        methods.set(path, { path, kind: streaming[methodKind], idempotency: levels[idempotency], typed: true, ...defaultsOf(policies.get(path)) });
      }
    }
  }
  return methods;
}

function defaultsOf(policy: Policy | undefined): Pick<CompiledMethod, "timeoutMs" | "maxAttempts" | "cache"> {
  const cache = compileCacheHints(policy?.cache);
  return { ...(policy?.timeout && { timeoutMs: durationMs(policy.timeout) }), ...(policy?.maxAttempts && { maxAttempts: policy.maxAttempts }), ...(cache && { cache }) };
}

/** A method as it was declared; its types are not known. */
export function declaredMethod({ path, kind, idempotency }: Method): CompiledMethod {
  return { path, kind: kinds[kind], idempotency: idempotencies[idempotency], typed: false };
}

/**
 * The method table: described methods, and declared ones where no descriptor has them. A declaration may add the
 * idempotency that a descriptor leaves open. In order of path.
 */
export function methodTable(config: Config, registry: FileRegistry): CompiledMethod[] {
  const table = describedMethods(registry);
  for (const method of config.methods) {
    const declared = declaredMethod(method);
    const described = table.get(declared.path);
    table.set(declared.path, described === undefined ? declared : { ...described, idempotency: described.idempotency === "unknown" ? declared.idempotency : described.idempotency });
  }
  return [...table.values()].sort((a, b) => (a.path < b.path ? -1 : 1));
}
