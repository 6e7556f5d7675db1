import type { Fault } from "./layout.ts";
import type { Drill } from "./options.ts";

/** How callers speak to the proxy, and the proxy to the origins. */
export interface Wires {
  readonly callers: "connect" | "grpc-web";
  readonly origins: "connect" | "grpc-web" | "grpc";
}

/**
 * Callers speak Connect, and so do origins, but where a status stands in trailers. Fairlead's are gRPC-Web's then; Envoy does not look into a gRPC-Web
 * body that it passes on, and translates to gRPC where it is to see the status, so that its callers speak gRPC-Web and its origins gRPC over HTTP/2.
 */
export function wiresOf({ proxy, fault }: Pick<Drill, "proxy" | "fault">): Wires {
  if (proxy === "envoy" && fault === "trailers-only") return { callers: "grpc-web", origins: "grpc" };
  return { callers: "connect", origins: originsOf(fault) };
}

/** What origins speak to fairlead. */
export function originsOf(fault: Fault): "connect" | "grpc-web" {
  return fault === "trailers-only" ? "grpc-web" : "connect";
}
