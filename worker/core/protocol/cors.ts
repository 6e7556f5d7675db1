import type { CompiledCors } from "../config/compiled.ts";
import { Fields, type ReadableFields } from "./fields.ts";

/** CORS as https://fetch.spec.whatwg.org/#http-cors-protocol has it, for browsers' RPC clients. */

/** Headers that RPC clients in browsers send. */
const rpcHeaders = [
  "content-type", "accept", "authorization", "connect-protocol-version", "connect-timeout-ms", "connect-content-encoding", "connect-accept-encoding",
  "grpc-timeout", "grpc-encoding", "grpc-accept-encoding", "x-grpc-web", "x-user-agent",
].join(", ");

/** Headers of replies that RPC clients read. Named one by one: "*" does not count with credentials. */
const rpcExposed = ["grpc-status", "grpc-message", "grpc-status-details-bin", "content-encoding", "connect-content-encoding", "grpc-encoding"];

/** Reply headers that every page may read, or none; they need no mention. */
const plainNames = new Set([
  "content-type", "content-length", "cache-control", "date", "vary", "set-cookie", "connection", "transfer-encoding", ...rpcExposed,
]);

export interface Cors {
  /** Answers a preflight: 204 with what is allowed, or 403 where the page may not call. */
  preflight(request: ReadableFields): { status: 204 | 403; headers: Fields };
  /** Adds the CORS headers for a caller from `origin` (null: none given) to a reply's headers, changing them. */
  onReply(headers: Fields, origin: string | null): void;
}

export function cors(config: CompiledCors): Cors {
  const any = config.allowedOrigins.includes("*");
  const allowed = new Set(config.allowedOrigins);
  const exposedAlways = [...rpcExposed, ...config.exposedHeaders];
  const allowedNames = [rpcHeaders, ...config.allowedHeaders].join(", ");

  function grant(headers: Fields, origin: string | null): boolean {
    headers.append("vary", "Origin");
    if (origin === null || !(any || allowed.has(origin))) return false;
    headers.set("access-control-allow-origin", any ? "*" : origin);
    if (config.allowCredentials) headers.set("access-control-allow-credentials", "true");
    return true;
  }

  return {
    preflight(request) {
      const headers = new Fields();
      const granted = grant(headers, request.get("origin"));
      headers.append("vary", "Access-Control-Request-Method, Access-Control-Request-Headers");
      if (!granted) return { status: 403, headers };
      const asked = request.get("access-control-request-headers");
      headers.set("access-control-allow-methods", "GET, POST");
      headers.set("access-control-allow-headers", config.allowedHeaders.includes("*") && asked !== null && /^[\w!#$%&'*+.^`|~, -]*$/.test(asked) ? asked : allowedNames);
      headers.set("access-control-max-age", String(config.maxAgeSeconds));
      return { status: 204, headers };
    },
    onReply(headers, origin) {
      if (!grant(headers, origin)) return;
      const exposed = [...exposedAlways];
      headers.forEach((_value, name) => {
        if (!plainNames.has(name) && !name.startsWith("access-control-")) exposed.push(name);
      });
      headers.set("access-control-expose-headers", exposed.join(", "));
    },
  };
}
