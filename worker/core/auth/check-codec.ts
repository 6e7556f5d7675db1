import { create, fromBinary, type JsonObject, toBinary } from "@bufbuild/protobuf";
import { durationMs } from "@bufbuild/protobuf/wkt";
import { CheckRequestSchema, CheckResponseSchema } from "../../../gen/fairlead/authz/v1/authz_pb.js";
import type { Principal } from "./principal.ts";

/** What an authorizer is asked. Loaded when the first is: only who has one pays for its schemas. */
export interface Question {
  readonly method: string;
  readonly principal: Principal | undefined;
  readonly metadata: Readonly<Record<string, string>>;
  readonly clientAddress: string;
}

/** What it says, and for how long, in milliseconds; `none`: neither yes nor no. */
export interface Answer {
  readonly ttlMs: number;
  readonly says: { readonly allow: readonly (readonly [name: string, value: string])[] } | { readonly deny: string } | "none";
}

export function encodeQuestion({ method, principal, metadata, clientAddress }: Question): Uint8Array<ArrayBuffer> {
  const who = principal && { provider: principal.providerName, subject: principal.subject, scopes: [...principal.scopes], claims: principal.claims as JsonObject };
  return toBinary(CheckRequestSchema, create(CheckRequestSchema, { method, metadata, clientAddress, ...(who && { principal: who }) }));
}

/** Undefined where the bytes are no answer. */
export function decodeAnswer(bytes: Uint8Array): Answer | undefined {
  try {
    const { answer, ttl } = fromBinary(CheckResponseSchema, bytes);
    const ttlMs = ttl === undefined ? 0 : Math.max(0, durationMs(ttl));
    switch (answer.case) {
      case "allow": return { ttlMs, says: { allow: Object.entries(answer.value.headers) } };
      case "deny": return { ttlMs, says: { deny: answer.value.message } };
      case undefined: return { ttlMs: 0, says: "none" };
    }
  } catch {
    return undefined;
  }
}
