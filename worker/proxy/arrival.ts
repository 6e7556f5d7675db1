import { Fields } from "../core/protocol/fields.ts";
import type { Router } from "../core/balance/route.ts";
import type { CompiledLimits, CompiledMethod } from "../core/config/compiled.ts";
import { type Failure, failureHttpStatus, failureToEnd } from "../core/failure.ts";
import { parseGetQuery } from "../core/protocol/connect-get.ts";
import { encodingHeaders, familyOf, formFromContentType, type WireForm } from "../core/protocol/dialect.ts";
import { errorEnd } from "../core/protocol/end.ts";
import type { ByName, surveyor } from "../core/protocol/metadata.ts";
import { connectTimeoutToMs, grpcTimeoutToMs } from "../core/protocol/timeout.ts";
import type { MethodTable } from "../core/schema/method-table.ts";
import type { Budget } from "./budget.ts";
import type { Call, Reply } from "./call.ts";
import { openLifetime } from "./lifetime.ts";
import { lengthFrom } from "./read-whole.ts";
import type { ConnectionFacts, Ports } from "./ports.ts";
import { type Addressee, writeEnd } from "./write-reply.ts";

export interface ArrivalNeeds {
  readonly route: Router;
  readonly methods: MethodTable;
  readonly limits: CompiledLimits;
  readonly survey: ReturnType<typeof surveyor>;
  readonly budget: Budget;
  readonly ports: Ports;
}

/** A call to forward, a refusal, or neither: the request is no RPC. */
export type Arrival = { readonly call: Call } | { readonly reply: Reply } | "no-rpc";

/** Reads a request's head. Its body stays untouched. */
export function arrival(needs: ArrivalNeeds, request: Request, facts: ConnectionFacts): Arrival {
  const { limits } = needs;
  const { url, method: verb, headers } = request;
  const { host, path, query } = splitUrl(url);
  const survey = needs.survey(headers);
  // A Host with a slash in it would move into the URL's path.
  if (host === undefined || (survey.host !== undefined && hostFrom(survey.host) === undefined)) return plain(400, "Cannot take this request: its Host must be one name");
  const { metadata, protocol } = survey;
  const routed = needs.route({ path, host, metadata });
  const method = routed && needs.methods.get(routed.methodPath);

  // Before the query is taken apart.
  if (url.length > limits.urlBytes) return plain(414, "");
  const form = readForm(verb, protocol, query, method);
  if (form === undefined) {
    if (routed === undefined) return "no-rpc";
    const getAllowed = method?.idempotency === "no-side-effects";
    return verb === "POST" || (getAllowed && verb === "GET")
      ? plain(415, "", { "accept-post": acceptPost })
      : plain(405, "", { allow: getAllowed ? "GET, POST" : "POST" });
  }
  const { to, get } = form;
  const refuse = (failure: Failure, status?: number): Arrival => refused(to, failure, status);
  if (survey.bytes > limits.headerBytes) return refuse({ kind: "headers-too-large", limit: limits.headerBytes }, 431);
  if (survey.underscored !== undefined) return refuse({ kind: "malformed-request", what: "a header's name has an underscore" });
  if (routed === undefined) return refuse({ kind: "unknown-method", reason: "route" });
  if (get !== null && "error" in get) return refuse({ kind: "malformed-request", what: get.error }, get.status);
  if (method !== undefined && !fits(to.form, method)) return plain(415, "", { "accept-post": acceptPost });

  const { route, methodPath } = routed;
  const connect = familyOf(to.form.dialect) === "connect";
  const version = get === null ? protocol["connect-protocol-version"] : get.value.version?.replace(/^v/, "");
  if (connect && version !== undefined && version !== "1") {
    return refuse({ kind: "malformed-request", what: 'the Connect protocol version must be "1"' });
  }
  const timeoutText = protocol[connect ? "connect-timeout-ms" : "grpc-timeout"];
  const timeout = timeoutText === undefined ? undefined : connect ? connectTimeoutToMs(timeoutText) : grpcTimeoutToMs(timeoutText);
  if (timeoutText !== undefined && timeout === undefined) return refuse({ kind: "malformed-request", what: "the time-out cannot be read" });
  // A runtime's timer comes too late for what is over already.
  if (timeout !== undefined && timeout < 1) return refuse({ kind: "deadline" });
  const unary = to.form.dialect === "connect-unary" || to.form.dialect === "connect-get" || method?.kind === "unary";
  const names = encodingHeaders(to.form.dialect);
  const routeTimeoutMs = (route.open.includes("timeoutMs") ? method?.timeoutMs : undefined) ?? route.timeoutMs;
  const life = openLifetime(needs.ports, facts, Math.min(timeout ?? Infinity, unary ? routeTimeoutMs : route.maxDurationMs));
  return {
    call: {
      request,
      facts,
      url,
      authority: survey.host,
      form: to.form,
      text: { request: form.textRequest, reply: to.text.reply },
      get: get?.value ?? null,
      host,
      path: methodPath,
      route,
      method,
      declared: lengthFrom(protocol["content-length"]),
      encoding: (get?.value.encoding ?? (protocol[names.encoding] || "identity")).toLowerCase(),
      accepts: protocol[names.accept] ?? null,
      metadata,
      shown: survey.shown,
      caller: {},
      timed: timeout !== undefined,
      life,
      account: needs.budget.account(life),
      trace: {},
    },
  };
}

const acceptPost = [
  "application/proto", "application/json", "application/connect+proto", "application/connect+json",
  "application/grpc-web", "application/grpc-web+proto", "application/grpc-web+json", "application/grpc-web-text",
].join(", ");

/** By its status a cache might keep a refusal, and answer others with it. */
const kept = { "cache-control": "no-store" };

/** An answer in HTTP alone, where no dialect is known. */
function plain(status: number, text: string, headers: Record<string, string> = {}): { reply: Reply } {
  return { reply: { status, headers: new Fields({ ...kept, ...headers }), body: text === "" ? null : text, end: errorEnd("unknown", text), early: true } };
}

function refused(to: Addressee, failure: Failure, status = failureHttpStatus(failure)): Arrival {
  const reply = writeEnd(to, failureToEnd(failure), status);
  reply.headers.set("cache-control", "no-store");
  return { reply: { ...reply, early: true } };
}

interface RequestForm {
  readonly to: Addressee;
  readonly textRequest: boolean;
  readonly get: ReturnType<typeof parseGetQuery> | null;
}

function readForm(verb: string, protocol: ByName, query: string, method: CompiledMethod | undefined): RequestForm | undefined {
  if (verb === "POST") {
    const form = formFromContentType(protocol["content-type"] ?? "");
    if (form === undefined) return undefined;
    if (familyOf(form.dialect) === "connect") return { to: { form, text: { request: false, reply: false } }, textRequest: false, get: null };
    const textRequest = form.dialect === "grpc-web-text";
    const accept = (protocol["accept"] ?? "").toLowerCase();
    const reply = accept.includes("application/grpc-web-text") || (textRequest && !accept.includes("application/grpc-web"));
    return { to: { form: { dialect: "grpc-web", codec: form.codec }, text: { request: textRequest, reply } }, textRequest, get: null };
  }
  if (verb !== "GET" || method?.idempotency !== "no-side-effects" || query === "") return undefined;
  const get = parseGetQuery(query);
  const codec = "value" in get ? get.value.codec : "json";
  return { to: { form: { dialect: "connect-get", codec }, text: { request: false, reply: false } }, textRequest: false, get };
}

/** Whether a method of this kind can be called in this form: Connect writes unary calls and streams differently. */
function fits(form: WireForm, method: CompiledMethod): boolean {
  if (familyOf(form.dialect) === "grpc-web") return true;
  return (form.dialect === "connect-stream") !== (method.kind === "unary");
}

/** The name in `name[:port]`, in lower case and without the dot that may end it; undefined where it is not one plain name. */
function hostFrom(authority: string): string | undefined {
  if (authority !== lastHost.authority) lastHost = { authority, host: readHost(authority) };
  return lastHost.host;
}

/** The URL and the Host of a call say the same, and mostly that of the call before. */
let lastHost: { readonly authority: string; readonly host: string | undefined } = { authority: "", host: undefined };

function readHost(authority: string): string | undefined {
  const [, address, name = address] = /^(?:(\[[0-9A-Fa-f:.]+\])|([A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)*)\.?)(?::\d+)?$/.exec(authority) ?? [];
  return name?.toLowerCase();
}

/** The raw parts of a URL; nothing is normalised. `host` is undefined where it is not one plain name. */
function splitUrl(url: string): { host: string | undefined; path: string; query: string } {
  const from = url.indexOf("//") + 2;
  const pathAt = url.indexOf("/", from);
  const authority = url.slice(from, pathAt === -1 ? undefined : pathAt);
  const pathAndQuery = pathAt === -1 ? "/" : url.slice(pathAt);
  const question = pathAndQuery.indexOf("?");
  const host = hostFrom(authority);
  return question === -1
    ? { host, path: pathAndQuery, query: "" }
    : { host, path: pathAndQuery.slice(0, question), query: pathAndQuery.slice(question + 1) };
}

