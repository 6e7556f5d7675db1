import { isMetadata } from "../../worker/core/protocol/metadata.ts";
import type { Checking } from "./checking.ts";

/** What HTTP, the RPC protocols and the proxy's own CORS write: a route that edited it would break calls. */
const owned =
  /^(content-(type|length|encoding)|accept(-encoding)?|connect-.*|grpc-(timeout|encoding|accept-encoding|status|message|status-details-bin)|x-grpc-web|host|connection|keep-alive|proxy-connection|te|trailer|transfer-encoding|upgrade|expect|access-control-.*)$/;

/** Reports routes that set or remove headers which are not theirs, or look at what is never there. */
export function checkHeaders({ config, tree, report }: Checking): void {
  for (const [i, { match, sticky, requestHeaders, responseHeaders }] of config.routes.entries()) {
    const unseen = (name: string) => `must be a header that callers may set: HTTP, the RPC protocols or the proxy own ${name}, and take it out first`;
    for (const [j, { name }] of (match?.metadata ?? []).entries()) {
      if (!isMetadata(name)) report.of(tree, ["routes", i, "match", "metadata", j, "name"], unseen(name));
    }
    if (sticky?.key.case === "header" && !isMetadata(sticky.key.value)) report.of(tree, ["routes", i, "sticky", "header"], unseen(sticky.key.value));
    for (const [field, headers] of [["request_headers", requestHeaders], ["response_headers", responseHeaders]] as const) {
      const message = (name: string) => `must not name ${name}: HTTP, the RPC protocols or CORS own it${name === "host" ? " (an endpoint's authority sets it)" : ""}`;
      for (const name of Object.keys(headers?.set ?? {})) {
        if (owned.test(name)) report.of(tree, ["routes", i, field, "set", name], message(name), { key: true });
      }
      for (const [j, name] of (headers?.remove ?? []).entries()) {
        if (owned.test(name)) report.of(tree, ["routes", i, field, "remove", j], message(name));
      }
    }
  }
}
