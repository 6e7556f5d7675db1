import { type Layer, refuse } from "../../../worker/index.ts";

/** Refuses calls that name no tenant, and tells the caller for whom it was served. */
export const tenant: Layer = {
  name: "tenant",
  slot: "arrival",
  async handle(call, next) {
    const tenant = call.metadata.get("x-tenant");
    if (tenant === null) return refuse(call, "invalid_argument", "x-tenant is missing");
    const reply = await next(call);
    reply.headers.set("x-served-for", tenant);
    return reply;
  },
};
