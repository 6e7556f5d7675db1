import type { Answer } from "../core/auth/check-codec.ts";
import { isHeaderValue } from "../core/auth/identity.ts";
import type { Principal } from "../core/auth/principal.ts";
import { recent } from "../core/auth/recent.ts";
import type { Refusal } from "../core/auth/refusal.ts";
import { type Picked, pickEndpoint } from "../core/balance/pick.ts";
import { nowhere, readPlace } from "../core/balance/place.ts";
import type { CompiledRoute } from "../core/config/compiled.ts";
import type { CompiledAuthorizer } from "../core/config/compiled-auth.ts";
import { connectTimeoutFromMs } from "../core/protocol/timeout.ts";
import { Fields, isName, type ReadableFields } from "../core/protocol/fields.ts";
import { isMetadata } from "../core/protocol/metadata.ts";
import type { Call } from "../proxy/call.ts";
import type { Choosing } from "../proxy/choosing.ts";
import type { Keep, Ports } from "../proxy/ports.ts";
import { readUpTo } from "./get-json.ts";

/** What an authorizer lets a call take along, or why it may not pass. */
export type Asked = { readonly headers: readonly (readonly [name: string, value: string])[] } | Refusal;

export type AskAuthorizer = (call: Call, principal: Principal | undefined) => Promise<Asked>;

interface AuthorizerNeeds {
  readonly ports: Ports;
  readonly choosing: Choosing;
}

const path = "/fairlead.authz.v1.AuthorizationService/Check";
const mostBytes = 64 * 1024;
const mostAnswers = { count: 10_000, bytes: 8 * 1024 * 1024 };
/** An answer that holds for longer is asked for anew after so long, in milliseconds. */
const longestTtlMs = 3_600_000;

/** Asks one authorizer, with Connect and protobuf. Its answers hold for as long as it says; without one the call is refused, unless it fails open. */
export function authorizer(config: CompiledAuthorizer, { ports, choosing }: AuthorizerNeeds): AskAuthorizer {
  const answers = recent<Answer["says"]>(mostAnswers);
  const ask = { route: { residency: [], sticky: null } as Pick<CompiledRoute, "residency" | "sticky"> as CompiledRoute, key: undefined };

  /** The bytes of an answer; a failure's `asked` tells whether there was somebody to ask. */
  async function send(call: Call, body: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer> | { readonly cause: string; readonly asked: boolean }> {
    const read = choosing.freshen(call.facts.keep);
    if (read !== undefined) await read;
    const place = call.facts.place();
    const picked = pickEndpoint(choosing.snapshot(), config.cluster, { ...ask, place: place === null ? nowhere : readPlace(place) }, ports.random);
    if (picked === undefined) return { cause: "it has no endpoint", asked: false };
    choosing.began(picked, call.facts.keep);
    const began = ports.now();
    const ended = new AbortController();
    const { promise: late, resolve } = Promise.withResolvers<"late">();
    const cancel = ports.after(config.timeoutMs, () => resolve("late"));
    const headers = new Fields({ "content-type": "application/proto", "connect-protocol-version": "1", "connect-timeout-ms": connectTimeoutFromMs(config.timeoutMs), "accept-encoding": "identity" });
    const exchange = ports.transport({ endpoint: picked.endpoint, method: "POST", path, headers, body, once: false, signal: ended.signal }).then(async (reply) => {
      if ("failure" in reply) return { cause: reply.failure.kind === "transport" ? reply.failure.cause : reply.failure.kind, asked: false };
      if (reply.status !== 200 || reply.headers.get("content-type") !== "application/proto") {
        reply.body?.cancel().catch(() => {});
        return { cause: `HTTP ${reply.status}, ${reply.headers.get("content-type") ?? "no content type"}`, asked: reply.status === 200 };
      }
      const bytes = reply.body === null ? new Uint8Array(0) : await readUpTo(reply.body, mostBytes);
      return bytes ?? { cause: `its answer is larger than ${mostBytes} bytes`, asked: true };
    }).catch((error: unknown) => ({ cause: String(error), asked: false }));
    const answer = await Promise.race([exchange, late]);
    cancel();
    ended.abort();
    tell(picked, answer, ports.now() - began, call.facts.keep);
    return answer === "late" ? { cause: `no answer within ${config.timeoutMs} ms`, asked: false } : answer;
  }

  function tell(picked: Picked, answer: "late" | Uint8Array | { readonly asked: boolean }, ms: number, keep: Keep): void {
    if (answer === "late") return choosing.ended(config.cluster, picked, { code: "deadline_exceeded", by: "silence", ms }, keep);
    const good = answer instanceof Uint8Array || answer.asked;
    choosing.ended(config.cluster, picked, good ? { code: "ok", by: "answered", ms } : { code: "unavailable", by: "transport", ms }, keep);
  }

  async function judge(call: Call, principal: Principal | undefined, metadata: Record<string, string>, clientAddress: string): Promise<Answer | Refusal | "open"> {
    const { encodeQuestion, decodeAnswer } = await import("../core/auth/check-codec.ts");
    const said = await send(call, encodeQuestion({ method: call.path, principal, metadata, clientAddress }));
    if (!(said instanceof Uint8Array)) {
      ports.log({ level: "error", event: "authorizer-unavailable", authorizer: config.name, cause: said.cause, passed: config.failOpen && !said.asked });
      return config.failOpen && !said.asked ? "open" : { kind: "authorizer-unavailable", authorizer: config.name, cause: said.cause };
    }
    return decodeAnswer(said) ?? { kind: "authorizer-unavailable", authorizer: config.name, cause: "its answer cannot be read" };
  }

  function asAsked(says: Answer["says"]): Asked {
    if (says === "none") return { kind: "denied", authorizer: config.name, message: "" };
    if ("deny" in says) return { kind: "denied", authorizer: config.name, message: says.deny };
    const fit = says.allow.filter(([name, value]) => isName(name) && name === name.toLowerCase() && isMetadata(name) && isHeaderValue(value));
    if (fit.length < says.allow.length) ports.log({ level: "warn", event: "authorizer-headers-left-out", authorizer: config.name, count: says.allow.length - fit.length });
    return { headers: fit };
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
