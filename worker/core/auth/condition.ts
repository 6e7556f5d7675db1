import type { ReadableFields } from "../protocol/fields.ts";
import { celEnv, CelScalar, type CelInput, isCelError, listType, mapType, plan } from "@bufbuild/cel";
import { ParsedExprSchema } from "@bufbuild/cel-spec/cel/expr/syntax_pb.js";
import { fromBinary } from "@bufbuild/protobuf";
import type { CompiledCondition } from "../config/compiled-auth.ts";
import { base64Decode } from "../protocol/base64.ts";
import type { Principal } from "./principal.ts";

/** What a condition may ask about, beside its principal. */
export interface Circumstances {
  /** `/package.Service/Method` */
  readonly method: string;
  readonly metadata: ReadableFields;
}

/** Why a condition does not hold, in words that repeat nothing of a claim or a header: what CEL says of an error does. */
export type Unheld = "it is false" | "it is no bool" | "it cannot be evaluated for this caller" | "the claims have too many values";

/** Evaluates a condition: true, or why it does not hold. An error, and whatever is not a bool, is no yes. */
export type Evaluate = (condition: CompiledCondition, principal: Principal, circumstances: Circumstances) => true | Unheld;

/** Values that a condition sees of a principal's claims, at most: what it costs grows with them. */
const mostValues = 1000;

const failed: Unheld = "it cannot be evaluated for this caller";
const tooMany = new Error("too many values");

const environment = celEnv({
  variables: {
    claims: mapType(CelScalar.STRING, CelScalar.DYN),
    scopes: listType(CelScalar.STRING),
    subject: CelScalar.STRING,
    provider: CelScalar.STRING,
    metadata: mapType(CelScalar.STRING, CelScalar.STRING),
    method: CelScalar.STRING,
  },
});

/** Plans each condition once. */
export function conditions(): Evaluate {
  const planned = new WeakMap<CompiledCondition, ReturnType<typeof planOf>>();
  return (condition, principal, { method, metadata }) => {
    try {
      const evaluate = planned.get(condition) ?? planOf(condition);
      planned.set(condition, evaluate);
      const result = evaluate({
        claims: asMap(principal.claims, { left: mostValues }),
        scopes: [...principal.scopes],
        subject: principal.subject,
        provider: principal.providerName,
        metadata: condition.text.includes("metadata") ? entriesOf(metadata) : new Map(),
        method,
      });
      if (isCelError(result)) return failed;
      return result === true ? true : result === false ? "it is false" : "it is no bool";
    } catch (error) {
      return error === tooMany ? "the claims have too many values" : failed;
    }
  };
}

function planOf({ parsed }: CompiledCondition) {
  return plan(environment, fromBinary(ParsedExprSchema, base64Decode(parsed) ?? new Uint8Array(0)));
}

function entriesOf(metadata: ReadableFields): Map<string, string> {
  const entries = new Map<string, string>();
  metadata.forEach((value, name) => entries.set(name, value));
  return entries;
}

function asMap(object: object, room: { left: number }): Map<string, CelInput> {
  return new Map(Object.entries(object).map(([name, value]) => [name, asInput(value, room)]));
}

function asInput(value: unknown, room: { left: number }): CelInput {
  if (room.left-- <= 0) throw tooMany;
  if (Array.isArray(value)) return value.map((one) => asInput(one, room));
  return typeof value === "object" && value !== null ? asMap(value, room) : (value as CelInput);
}
