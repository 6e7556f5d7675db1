import type { CompiledCluster, CompiledMethod } from "../core/config/compiled.ts";
import { type Failure, FailureError } from "../core/failure.ts";
import { type Codec, familyOf, type UpstreamForm } from "../core/protocol/dialect.ts";
import type { MethodRecoder, Recode } from "../core/schema/recode.ts";
import type { Call } from "./call.ts";

/** How a call is taken to its origin. */
export interface Plan {
  /** `pass`: same dialect and codec; `reframe`: other dialect; `recode`: other codec, whatever the dialect. */
  readonly way: "pass" | "reframe" | "recode";
  readonly dialect: UpstreamForm;
  readonly codec: Codec;
  /** The request is one message. */
  readonly oneRequest: boolean;
  /** The reply is one message. */
  readonly oneReply: boolean;
  readonly recodeInput: Recode | undefined;
  readonly recodeOutput: Recode | undefined;
}

/** Chooses the cheapest way that is right; throws `not-described` where the method table knows too little. */
export function plan(call: Call, cluster: CompiledCluster, recoderOf: (path: string) => MethodRecoder | undefined): Plan {
  const { form, method } = call;
  const codec = cluster.codecs.includes(form.codec) ? form.codec : form.codec === "json" ? "proto" : "json";
  const recoded = codec !== form.codec;
  const dialect = upstreamDialect(call, cluster, method, recoded);
  const recoder = recoded ? recoderOf(call.path) : undefined;
  if (recoded && recoder === undefined) throw new FailureError({ kind: "not-described", needs: "types" });
  const unaryForm = form.dialect === "connect-unary" || form.dialect === "connect-get";
  const kind = unaryForm ? "unary" : method?.kind;
  return {
    way: recoded ? "recode" : dialect === form.dialect ? "pass" : "reframe",
    dialect,
    codec,
    oneRequest: kind === "unary" || kind === "server-stream",
    oneReply: kind === "unary",
    recodeInput: recoder?.input(form.codec),
    recodeOutput: recoder?.output(codec),
  };
}

function upstreamDialect(call: Call, cluster: CompiledCluster, method: CompiledMethod | undefined, recoded: boolean): UpstreamForm {
  const from = call.form.dialect;
  const family = cluster.dialect === "same" ? familyOf(from) : cluster.dialect;
  if (family === "grpc-web") return "grpc-web";
  if (from === "connect-get") return recoded ? "connect-unary" : "connect-get";
  if (from === "connect-unary" || from === "connect-stream") return from;
  const unknown: Failure = { kind: "not-described", needs: "kind" };
  if (method === undefined) throw new FailureError(unknown);
  return method.kind === "unary" ? "connect-unary" : "connect-stream";
}
