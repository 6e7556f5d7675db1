import { create } from "@bufbuild/protobuf";
import { connectNodeAdapter } from "@connectrpc/connect-node";
import { createServer } from "node:http";
import { AuthorizationService, CheckResponseSchema } from "../../gen/fairlead/authz/v1/authz_pb.js";

/** Which tenants have not paid; a database in real life. */
const overdue = new Set(["acme"]);

/** Says of each call whether it may pass: tenants that are overdue may read, and nothing else. */
export const authorizer = connectNodeAdapter({
  routes(router) {
    router.service(AuthorizationService, {
      check({ method, principal }) {
        const tenant = principal?.claims?.["tenant"];
        if (typeof tenant !== "string") return { answer: { case: "deny", value: { message: "a tenant is needed" } } };
        const mayPass = !overdue.has(tenant) || method.endsWith("/Get");
        return create(CheckResponseSchema, {
          answer: mayPass ? { case: "allow", value: { headers: { "x-tenant": tenant } } } : { case: "deny", value: { message: "the bill is overdue" } },
          ttl: { seconds: 60n },
        });
      },
    });
  },
});

if (import.meta.main) createServer(authorizer).listen(9000, "127.0.0.1");
