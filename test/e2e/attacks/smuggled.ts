import { writeEnvelope } from "../../../worker/core/protocol/envelope.ts";
import { type Attack, attack, onlyWeb, posts } from "./attack.ts";
import { token } from "./parties.ts";
import type { Fields } from "./request.ts";

/** A call that passes, by which a caller tries to tell the origin something that only the proxy may tell it. */
export interface Smuggled extends Attack {
  /** Text that must not arrive at the origin in any header. */
  readonly contraband: string;
}

const contraband = "root-by-smuggling";
const me = (): Fields => [["authorization", `Bearer ${token()}`]];
const known = (name: string, beside: Fields, sent: Omit<ReturnType<Attack["sent"]>, "fields"> = {}, further: Parameters<typeof attack>[2] = {}): Smuggled =>
  ({ ...attack(name, () => ({ ...sent, fields: [...me(), ...beside] }), { code: "ok", ...further }), contraband });
const unknown = (name: string, beside: Fields): Smuggled => ({ ...attack(name, () => ({ fields: beside }), { service: "Public", code: "ok" }), contraband });

export const smuggled: readonly Smuggled[] = [
  known("x-user-id beside a token", [["x-user-id", contraband]]),
  known("X-USER-ID in upper case", [["X-USER-ID", contraband]]),
  known("x-user-id twice", [["x-user-id", contraband], ["x-user-id", contraband]]),
  known("a header whose claim is not in the token", [["x-tenant-id", contraband]]),
  known("the claims header", [["x-claims", contraband]]),
  known("x-user-id named by Connection", [["x-user-id", contraband]], { connection: "x-user-id" }),
  known("the claims header named by Connection", [["x-claims", contraband]], { connection: "X-Claims, x-user-id" }),
  known("x-user-id in HTTP's trailers", [], { trailers: [["x-user-id", contraband]] }, { forms: posts }),
  known("x-user-id in gRPC-Web's trailer frame", [], { body: Buffer.concat([writeEnvelope(0, Buffer.from("x")), writeEnvelope(0x80, Buffer.from(`x-user-id: ${contraband}\r\n`))]) }, { code: "unimplemented", forms: onlyWeb }),
  known("x-user-id in gRPC-Web's trailer frame to a stream", [], { target: () => "/guard.v1.Main/Watch", body: Buffer.concat([writeEnvelope(0, Buffer.from("x")), writeEnvelope(0x80, Buffer.from(`x-user-id: ${contraband}\r\n`))]) }, { code: "unimplemented", forms: onlyWeb }),
  known("a certificate that is not trusted", [["x-forwarded-client-cert", `Subject="${contraband}"`]]),
  known("x-forwarded headers", [["x-forwarded-user", contraband], ["x-forwarded-email", contraband], ["x-forwarded-for", contraband], ["x-forwarded-host", contraband], ["x-forwarded-proto", contraband]]),
  known("Cloudflare's headers", [["cf-access-authenticated-user-email", contraband], ["cf-access-jwt-assertion", contraband], ["cf-connecting-ip", contraband], ["cf-ipcountry", contraband]]),
  known("forwarded and x-real-ip", [["forwarded", `for=${contraband}`], ["x-real-ip", contraband], ["true-client-ip", contraband], ["x-client-ip", contraband]]),
  known("proxy-authorization", [["proxy-authorization", contraband]]),
  known("x-original-url and x-rewrite-url", [["x-original-url", `/${contraband}`], ["x-rewrite-url", `/${contraband}`]]),
  known("method overrides", [["x-http-method-override", contraband], ["x-http-method", contraband], ["x-method-override", contraband]]),
  known("a header that Connection names", [["x-hop", contraband]], { connection: "x-hop" }),
  known("te, trailer and expect", [["te", contraband], ["keep-alive", contraband], ["proxy-connection", contraband]]),
  unknown("x-user-id at a public method", [["x-user-id", contraband]]),
  unknown("the claims header at a public method", [["x-claims", contraband]]),
  unknown("a tenant at a public method", [["x-tenant-id", contraband]]),
  unknown("an API key at a public method", [["x-api-key", contraband]]),
  unknown("the front's certificate at a public method", [["x-front-cert", contraband]]),
];
