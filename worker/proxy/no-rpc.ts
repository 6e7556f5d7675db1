import { Hono } from "hono";

/** What the pages have to show. */
export interface PagesNeeds {
  /** The key set with which the proxy's own tokens are verified; undefined where it has no key. Null: it makes none. */
  readonly jwks: (() => object | undefined) | null;
}

/** What is no RPC: a liveness page, the proxy's public keys where it makes tokens, and not-found. */
export function noRpc({ jwks }: PagesNeeds): { fetch(request: Request): Response | Promise<Response> } {
  const app = new Hono();
  app.get("/healthz", (c) => c.text("ok\n"));
  if (jwks !== null) {
    app.get("/.well-known/jwks.json", (c) => {
      const keys = jwks();
      return keys === undefined ? c.text("Unavailable: the proxy has no key.\n", 503) : c.json(keys, 200, { "cache-control": "public, max-age=300" });
    });
  }
  app.notFound((c) => c.text("Not found: this is an RPC proxy, and no route of its config has this path.\n", 404, { "cache-control": "no-store", vary: "Origin" }));
  return app;
}
