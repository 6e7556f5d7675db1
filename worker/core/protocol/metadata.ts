import { Fields, noValues, type ReadableFields } from "./fields.ts";
import { grpcMessageEncode } from "./grpc-message.ts";

/** Which headers are metadata, and which belong to HTTP, to a dialect or to the proxy itself. */

/** Headers of one HTTP hop: https://www.rfc-editor.org/rfc/rfc9110#section-7.6.1 */
const hopByHop = ["connection", "keep-alive", "proxy-connection", "te", "trailer", "transfer-encoding", "upgrade", "expect"];

/** A call asks with the first why it went where it went, and is told in the second. */
export const explainHeader = "fairlead-explain";
export const explanationHeader = "fairlead-explanation";

/** Tells an origin's logs from which region a probe comes. */
export const probeFromHeader = "fairlead-probe-from";

/** What no caller may tell an origin through the proxy. */
const neverForwarded = [
  "host", "proxy-authorization", "proxy-authenticate", "x-original-url", "x-rewrite-url",
  "x-http-method", "x-http-method-override", "x-method-override",
  "grpc-previous-rpc-attempts", explainHeader, probeFromHeader, "forwarded", "x-real-ip", "true-client-ip", "x-client-ip", "x-cluster-client-ip", "x-original-host", "x-forwarded",
  // https://www.rfc-editor.org/rfc/rfc9440#section-4: who ends TLS takes out a caller's own.
  "client-cert", "client-cert-chain",
];

/** Beginnings of names with which only a front that is trusted may speak. */
const neverForwardedPrefixes = /^(?:x-forwarded-|cf-)/;

/** Headers that the RPC protocols own in a request; the upstream dialect writes its own. */
const protocolRequest = new Set([
  "content-type", "content-length", "content-encoding", "accept", "accept-encoding",
  "connect-protocol-version", "connect-timeout-ms", "connect-content-encoding", "connect-accept-encoding",
  "grpc-timeout", "grpc-encoding", "grpc-accept-encoding", "x-grpc-web",
  // Of HTTP's own conditions and ranges a 304 or 206 would come, which no dialect has a form for.
  "if-match", "if-none-match", "if-modified-since", "if-unmodified-since", "if-range", "range",
]);

/** Headers that the RPC protocols, or the proxy's own reply, own. */
const protocolReply = new Set([
  "content-type", "content-length", "content-encoding", "connect-content-encoding", "connect-accept-encoding", "accept-encoding",
  "grpc-encoding", "grpc-accept-encoding", "grpc-status", "grpc-message", "grpc-status-details-bin",
]);

/** CORS is the proxy's to answer; what an origin says of it does not reach the caller. */
const corsReply = [
  "access-control-allow-origin", "access-control-allow-credentials", "access-control-allow-methods",
  "access-control-allow-headers", "access-control-expose-headers", "access-control-max-age",
];

/** Names another way to the origin itself, around the proxy: https://www.rfc-editor.org/rfc/rfc7838#section-3 */
const alternatives = "alt-svc";

const neverRelayed = new Set([...hopByHop, ...corsReply, explanationHeader, alternatives]);
const neverCross = new Set([...hopByHop, ...neverForwarded]);

export interface HeaderSurvey {
  /** The value of `host`, where there is one. */
  readonly host: string | undefined;
  /** Bytes of all names and values. */
  readonly bytes: number;
  /** A name with an underscore: to many an origin the look-alike of another header. */
  readonly underscored: string | undefined;
  /** The headers that may cross to an origin as they are: the upstream dialect writes its own protocol headers. */
  readonly metadata: Fields;
  /** The RPC protocols' own headers, by name. Every look-up in a Headers object leaves the engine; these do not. */
  readonly protocol: ByName;
  /** Those that may speak of the caller, by name. */
  readonly shown: ByName;
}

/** Headers that may speak of the caller, in lower case. */
export interface CallerHeaders {
  /** Where credentials are looked for, and which cross all the same. */
  readonly read: ReadonlySet<string>;
  /** Which do not cross: keys, and what the proxy itself tells an origin under these names. */
  readonly withheld: ReadonlySet<string>;
}

/** Values of headers by their names in lower case. */
export type ByName = Readonly<Record<string, string | undefined>>;

const nobodySpeaks: CallerHeaders = { read: new Set(), withheld: new Set() };

/** What a request header is, by its name. */
interface Role {
  readonly isShown: boolean;
  readonly isUnderscored: boolean;
  readonly is: "metadata" | "protocol" | "nothing";
}

/** Roles are remembered for so many names, of so many letters: callers may make up others. */
const mostRoles = 500;
const longestName = 64;

/** Looks at every header of a request once, and tells which is what. To be made once for all requests. */
export function surveyor(callers: CallerHeaders = nobodySpeaks): (headers: ReadableFields) => HeaderSurvey {
  const roles = new Map<string, Role>();

  function remember(name: string): Role {
    const role = roleOf(name, callers);
    if (roles.size < mostRoles && name.length <= longestName) roles.set(name, role);
    return role;
  }

  return (headers) => {
    let bytes = 0;
    let host: string | undefined;
    let underscored: string | undefined;
    let named: string | undefined;
    const kept = noValues();
    const protocol = noValues();
    const shown = noValues();
    headers.forEach((value, name) => {
      const { is, isShown, isUnderscored } = roles.get(name) ?? remember(name);
      bytes += name.length + value.length;
      if (isShown) shown[name] = value;
      if (isUnderscored) underscored = name;
      if (is === "metadata") kept[name] = value;
      else if (is === "protocol") protocol[name] = value;
      else if (name === "host") host = value;
      else if (name === "connection") named = value;
    });
    if (named !== undefined) dropNamed(kept, named);
    return { host, bytes, underscored, metadata: new Fields(kept), protocol, shown };
  };
}

/** What `connection` names belongs to this hop, too. */
function dropNamed(values: Record<string, string>, connection: string): void {
  for (const name of connection.toLowerCase().split(",")) delete values[name.trim()];
}

function roleOf(name: string, { read, withheld }: CallerHeaders): Role {
  const isWithheld = withheld.has(name);
  // Many an origin reads what is neither letter nor digit alike.
  const alike = name.replace(/[^a-z0-9]/g, "-");
  const crosses = !isWithheld && !withheld.has(alike) && ![name, alike].some((one) => neverCross.has(one) || neverForwardedPrefixes.test(one));
  return { isShown: isWithheld || read.has(name), isUnderscored: name.includes("_"), is: protocolRequest.has(name) ? "protocol" : crosses ? "metadata" : "nothing" };
}

/** Whether a request header of this name, in lower case, is metadata: routed by, seen by layers and sent on. */
export function isMetadata(name: string): boolean {
  return !neverCross.has(name) && !protocolRequest.has(name) && !neverForwardedPrefixes.test(name) && !name.includes("_");
}

/** The metadata of a reply's head: without what the hop, CORS and, unless `keep`, the protocols own. */
export function replyMetadata(head: ReadableFields, keep: "protocol" | "metadata"): Fields {
  const kept = noValues();
  const cookies: string[] = [];
  let named: string | undefined;
  head.forEach((value, name) => {
    if (name === "connection") named = value;
    if (neverRelayed.has(name) || (keep === "metadata" && protocolReply.has(name))) return;
    if (name === "set-cookie") cookies.push(value);
    else kept[name] = value;
  });
  if (named !== undefined) dropNamed(kept, named);
  return new Fields(kept, cookies);
}

/** Connect unary keeps trailing metadata among the headers, behind this prefix. */
export const trailerPrefix = "trailer-";

/** Takes the `trailer-` headers out of `headers` (changing it), without their prefix; undefined where there is none. */
export function takeTrailerPrefixed(headers: Fields): Fields | undefined {
  const names: string[] = [];
  headers.forEach((_value, name) => {
    if (name.startsWith(trailerPrefix) && name.length > trailerPrefix.length) names.push(name);
  });
  if (names.length === 0) return undefined;
  const trailers = new Fields();
  for (const name of names) {
    trailers.append(name.slice(trailerPrefix.length), safeValue(headers.get(name)!));
    headers.delete(name);
  }
  return trailers;
}

/** Adds all of `from` to `to`, names behind `prefix`. */
export function appendAll(to: Fields, from: Fields, prefix = ""): void {
  from.forEach((value, name) => to.append(prefix + name, safeValue(value)));
}

/** A value that any HTTP stack takes: what is neither printable nor Latin-1 is percent-encoded, since some stacks die of it. */
export function safeValue(value: string): string {
  return /^[\t\x20-\x7e\x80-\xff]*$/.test(value) ? value : grpcMessageEncode(value);
}
