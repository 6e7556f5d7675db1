import { Hono } from "hono";

/** What is no RPC: a liveness page, and not-found. */
export function noRpc(): { fetch(request: Request): Response | Promise<Response> } {
  const app = new Hono();
  app.get("/healthz", (c) => c.text("ok\n"));
  app.notFound((c) => c.text("Not found: this is an RPC proxy, and no route of its config has this path.\n", 404));
  return app;
}
