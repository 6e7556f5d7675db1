import type { Answer } from "../core/auth/check-codec.ts";
import { isHeaderValue } from "../core/auth/identity.ts";
import type { Principal } from "../core/auth/principal.ts";
import { recent } from "../core/auth/recent.ts";
import type { Refusal } from "../core/auth/refusal.ts";
import type { CompiledAuthorizer } from "../core/config/compiled-auth.ts";
import type { ReadableFields } from "../core/protocol/fields.ts";
import type { Call } from "../proxy/call.ts";
import { checkCall, type CheckNeeds } from "./check-call.ts";

/** What an authorizer lets a call take along, or why it may not pass. */
export type Asked = { readonly headers: readonly (readonly [name: string, value: string])[] } | Refusal;

export type AskAuthorizer = (call: Call, principal: Principal | undefined) => Promise<Asked>;

const mostAnswers = { count: 10_000, bytes: 8 * 1024 * 1024 };
/** An answer that holds for longer is asked for anew after so long, in milliseconds. */
const longestTtlMs = 3_600_000;

/** Asks one authorizer. Its answers hold for as long as it says; without one the call is refused, unless it fails open. */
export function authorizer(config: CompiledAuthorizer, needs: CheckNeeds): AskAuthorizer {
  const { ports } = needs;
  const answers = recent<Answer["says"]>(mostAnswers);
  const check = checkCall(config, needs);
  const unavailable = (cause: string): Refusal => ({ kind: "authorizer-unavailable", authorizer: config.name, cause });

  async function judge(call: Call, principal: Principal | undefined, metadata: Record<string, string>, clientAddress: string): Promise<Answer | Refusal | "open"> {
    const { encodeQuestion, decodeAnswer } = await import("../core/auth/check-codec.ts");
    const question = encodeQuestion({ method: call.path, principal, metadata, clientAddress });
    if (question === undefined) return { kind: "claims-too-deep", authorizer: config.name };
    const checked = await check(call, question);
    switch (checked.kind) {
      case "answer": return decodeAnswer(checked.bytes) ?? unavailable("its answer cannot be read");
      case "denied": return { kind: "denied", authorizer: config.name, message: "" };
      case "over": return unavailable("the call is over");
    }
    const passed = config.failOpen && checked.kind === "unreached";
    ports.log({ level: "error", event: "authorizer-unavailable", authorizer: config.name, cause: checked.cause, passed });
    return passed ? "open" : unavailable(checked.cause);
  }

  /** What is not declared stays out: nobody takes it from callers, so an origin could not tell whose word it is. */
  function asAsked(says: Answer["says"]): Asked {
    if (says === "none") return { kind: "denied", authorizer: config.name, message: "" };
    if ("deny" in says) return { kind: "denied", authorizer: config.name, message: says.deny };
    const all = says.allow.map(([name, value]) => [name.toLowerCase(), value] as const);
    const declared = new Map(all.filter(([name]) => config.headers.includes(name)));
    const others = all.filter(([name]) => !declared.has(name));
    if (others.length > 0) ports.log({ level: "warn", event: "authorizer-headers-left-out", authorizer: config.name, count: others.length });
    if (declared.size + others.length < all.length) return unavailable("its answer names a header twice");
    const unfit = [...declared].find(([, value]) => !isHeaderValue(value));
    return unfit === undefined ? { headers: [...declared] } : unavailable(`its value of ${unfit[0]} is no visible ASCII of 4 KiB at most`);
  }

  return async (call, principal) => {
    const metadata = shownMetadata(call.metadata, config.metadata);
    const clientAddress = call.facts.clientAddress() ?? "";
    const key = JSON.stringify([call.path, principal?.provider, principal?.fingerprint, metadata, clientAddress]);
    const known = answers.get(key, ports.now());
    if (known !== undefined) return asAsked(known);
    const answer = await judge(call, principal, metadata, clientAddress);
    if (answer === "open") return { headers: [] };
    if ("kind" in answer) return answer;
    const { ttlMs, says } = answer;
    if (ttlMs > 0) answers.set(key, says, ports.now() + Math.min(ttlMs, longestTtlMs), key.length * 2 + JSON.stringify(says).length * 2 + 200);
    return asAsked(says);
  };
}

function shownMetadata(metadata: ReadableFields, names: readonly string[]): Record<string, string> {
  return Object.fromEntries(names.flatMap((name) => {
    const value = metadata.get(name);
    return value === null ? [] : [[name, value]];
  }));
}
