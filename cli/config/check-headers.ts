import type { Checking } from "./checking.ts";

/** What HTTP, the RPC protocols and the proxy's own CORS write: a route that edited it would break calls. */
const owned =
  /^(content-(type|length|encoding)|accept(-encoding)?|connect-.*|grpc-(timeout|encoding|accept-encoding|status|message|status-details-bin)|x-grpc-web|host|connection|keep-alive|proxy-connection|te|trailer|transfer-encoding|upgrade|expect|access-control-.*)$/;

/** Reports routes that set or remove headers which are not theirs. */
export function checkHeaders({ config, tree, report }: Checking): void {
  for (const [i, { requestHeaders, responseHeaders }] of config.routes.entries()) {
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
