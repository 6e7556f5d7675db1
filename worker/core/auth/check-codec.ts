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

/** Readers of protobuf give up at a hundred messages inside one another, and a claim takes three for each level of its JSON. */
const mostLevels = 30;

/** Undefined where the claims are nested too deeply for whoever is to read them. */
export function encodeQuestion({ method, principal, metadata, clientAddress }: Question): Uint8Array<ArrayBuffer> | undefined {
  if (principal !== undefined && isDeeper(principal.claims, mostLevels)) return undefined;
  const who = principal && { provider: principal.providerName, subject: principal.subject, scopes: [...principal.scopes], claims: principal.claims as JsonObject };
  return toBinary(CheckRequestSchema, create(CheckRequestSchema, { method, metadata, clientAddress, ...(who && { principal: who }) }));
}

function isDeeper(value: unknown, levels: number): boolean {
  return typeof value === "object" && value !== null && (levels === 0 || Object.values(value).some((one) => isDeeper(one, levels - 1)));
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
