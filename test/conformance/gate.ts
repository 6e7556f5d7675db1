import type { IncomingMessage } from "node:http";
import { startHop, untouched } from "./hop.ts";
import type { Address } from "./messages.ts";
import type { Setup } from "./options.ts";
import type { Running } from "./origin.ts";

/**
 * Stands before the suite's server, which speaks every protocol and codec, and makes of it an origin that speaks only
 * what the setup says: any other call gets HTTP 415, so that a proxy that merely passes calls through fails.
 * Calls and replies go through as they are.
 */
export function startGate(origin: Address, setup: Setup): Promise<Running> {
  return startHop(origin, (call) =>
    speaks(call, setup)
      ? { ...untouched(call), reply: untouched }
      : { status: 415, why: `the origin does not speak ${call.headers["content-type"] ?? "this"}: ${call.method} ${call.url?.slice(0, 200)}` },
  );
}

function speaks(call: IncomingMessage, { origin, recode }: Setup): boolean {
  const contentType = call.headers["content-type"] ?? "";
  const grpcWeb = contentType.startsWith("application/grpc-web");
  if (contentType.startsWith("application/grpc-web-text")) return false;
  if (origin !== "same" && grpcWeb !== (origin === "grpc-web")) return false;
  return !(recode && (contentType.endsWith("json") || new URL(call.url ?? "/", "http://origin").searchParams.get("encoding") === "json"));
}
