import { callConnectWeb } from "./page-connect-web.ts";
import { callGrpcWeb } from "./page-grpc-web.ts";
import type { Call, Outcome } from "./page-call.ts";

export { arrived } from "./page-call.ts";

/** Makes one call from the page that this runs in. Does not throw: an error is part of the outcome. */
export function call(asked: Call): Promise<Outcome> {
  return asked.client === "grpc-web, binary" || asked.client === "grpc-web, text" ? callGrpcWeb(asked, asked.client) : callConnectWeb(asked, asked.client);
}
