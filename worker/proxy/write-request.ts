import type { Fields } from "../core/protocol/fields.ts";
import { isRepeatable } from "../core/balance/retry.ts";
import type { CompiledEndpoint, CompiledRoute } from "../core/config/compiled.ts";
import { encodingFrom, isPassable } from "../core/protocol/compression.ts";
import { getQuery } from "../core/protocol/connect-get.ts";
import { contentTypeOf, encodingHeaders, type UpstreamForm } from "../core/protocol/dialect.ts";
import { flagCompressed, writeEnvelope } from "../core/protocol/envelope.ts";
import { connectTimeoutFromMs, grpcTimeoutFromMs } from "../core/protocol/timeout.ts";
import type { Call, Message } from "./call.ts";
import type { Plan } from "./plan.ts";
import type { UpstreamRequest } from "./ports.ts";

/** The request's messages on their way out: one that was read whole, or a stream of envelopes. */
export type Outgoing = Message | ReadableStream<Uint8Array>;

/** Writes the request of a call in its origin's dialect. Takes the call's metadata over. */
export function writeRequest(call: Call, plan: Plan, endpoint: CompiledEndpoint, outgoing: Outgoing, signal: AbortSignal | null): UpstreamRequest {
  const headers = call.metadata;
  const { dialect, codec } = plan;
  const names = encodingHeaders(dialect);
  headers.set(names.accept, acceptable(call.accepts, plan.way !== "pass"));
  if (dialect !== "connect-unary" && dialect !== "connect-get") headers.set("accept-encoding", "identity");
  writeTimeout(headers, call, plan);
  if (dialect === "grpc-web") headers.set("x-grpc-web", "1");
  else headers.set("connect-protocol-version", "1");
  applyRoute(headers, call, call.route);

  const once = !isRepeatable(call.method);
  if (dialect === "connect-get" && !(outgoing instanceof ReadableStream)) {
    return { endpoint, headers, signal, once, method: "GET", path: `${call.path}?${getQuery(codec, outgoing.data, outgoing.encoding)}`, body: null };
  }
  const encoding = outgoing instanceof ReadableStream ? call.encoding : outgoing.encoding;
  headers.set("content-type", contentTypeOf(dialect, codec));
  if (encoding !== "identity") headers.set(names.encoding, encoding);
  return { endpoint, headers, signal, once, method: "POST", path: call.path, body: bodyOf(outgoing, dialect) };
}

function bodyOf(outgoing: Outgoing, dialect: UpstreamForm): UpstreamRequest["body"] {
  if (outgoing instanceof ReadableStream) return outgoing;
  return dialect === "connect-unary" ? outgoing.data : writeEnvelope(outgoing.encoding === "identity" ? 0 : flagCompressed, outgoing.data);
}

/** What the origin may compress with: what the caller takes, less what nobody here can open where messages are recoded, or ends written anew: those are compressed like messages. */
function acceptable(accepts: string | null, opened: boolean): string {
  if (accepts === null) return "identity";
  const wanted = accepts.split(",").filter((name) => !/;\s*q=0(?:\.0*)?\s*$/i.test(name));
  const names = wanted.map((name) => name.split(";")[0]!.trim().toLowerCase());
  const fit = names.filter((name) => (opened ? name !== "" && encodingFrom(name) !== undefined : isPassable(name)));
  return fit.length > 0 ? fit.join(", ") : "identity";
}

function writeTimeout(headers: Fields, call: Call, plan: Plan): void {
  if (!call.timed) return;
  const ms = call.life.remaining();
  if (plan.dialect === "grpc-web") headers.set("grpc-timeout", grpcTimeoutFromMs(ms));
  else headers.set("connect-timeout-ms", connectTimeoutFromMs(ms));
}

function applyRoute(headers: Fields, call: Call, route: CompiledRoute): void {
  for (const name of route.requestHeaders.remove) headers.delete(name);
  for (const [name, value] of route.requestHeaders.set) headers.set(name, value);
  if (!route.forwardedHeaders) return;
  const { url, authority } = call;
  const address = call.facts.clientAddress();
  if (address !== null) headers.set("x-forwarded-for", address);
  headers.set("x-forwarded-proto", url.slice(0, url.indexOf(":")));
  if (authority !== undefined) headers.set("x-forwarded-host", authority);
  if (route.match.basePath !== "") headers.set("x-forwarded-prefix", route.match.basePath);
}
