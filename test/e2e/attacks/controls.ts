import { type Attack, attack, bearer, posts, shows } from "./attack.ts";
import { page } from "./config.ts";
import { by, forge } from "./forge.ts";
import { apiKey, audience, certificate, claims, header, headed, keys, now, token } from "./parties.ts";

const ok = (service = "Main") => ({ service, code: "ok" }) as const;
const many = (key: typeof keys.ec, alg = key.alg, kid: string | undefined = key.kid) => forge({ alg, kid, typ: "JWT" }, claims({}, "many"), by(key, alg));

/** Who may call passes, close to where others are refused: a proxy that refuses everybody would be found out. */
export const controls: readonly Attack[] = [
  bearer("a good token", () => token(), ok()),
  // Both runtimes leave an empty field out where they join it with one that is not.
  attack("a good authorization after an empty one", () => ({ fields: [["authorization", ""], ["authorization", `Bearer ${token()}`]] }), ok()),
  shows("bearer in lower case", () => `bearer ${token()}`, ok()),
  shows("BEARER in upper case", () => `BEARER ${token()}`, ok()),
  shows("blanks around the whole value", () => `  Bearer ${token()}  `, ok()),
  bearer("no typ", () => headed({ typ: undefined }), ok()),
  bearer("typ at+jwt", () => headed({ typ: "at+jwt" }), ok()),
  bearer("typ application/at+jwt", () => headed({ typ: "application/at+jwt" }), ok()),
  bearer("no kid where one key fits", () => headed({ kid: undefined }), ok()),
  bearer("a header that nobody asks for", () => headed({ x5t: "AAAA", jku: "https://evil.example" }), ok()),
  bearer("aud a list with the right one", () => token({ aud: ["https://other.example", audience] }), ok()),
  bearer("exp just passed, as clocks may be apart", () => token({ exp: now() - 20 }), ok()),
  bearer("exp with a fraction", () => token({ exp: now() + 600.5 }), ok()),
  bearer("exp in the year 9000", () => token({ exp: 221_845_392_000 }), ok()),
  bearer("nbf just ahead", () => token({ nbf: now() + 20 }), ok()),
  bearer("iat just ahead", () => token({ iat: now() + 20 }), ok()),
  bearer("no iat, nbf, sub and scope", () => token({ iat: undefined, sub: undefined, scope: undefined }), ok()),
  bearer("claims in many letters", () => token({ name: "Ada \u00e9 \u{1f600}" }), ok()),
  bearer("a token of nearly 8 KiB", () => token({ x: "x".repeat(5400) }), ok()),
  bearer("the strict provider's token", () => token({}, "strict"), ok("Strict")),
  bearer("the other provider's token, of the same kid", () => token({}, "other"), ok("Other")),
  bearer("PS256", () => many(keys.pss), ok("Many")),
  bearer("ES256", () => many(keys.ec), ok("Many")),
  bearer("EdDSA", () => many(keys.ed), ok("Many")),
  bearer("EdDSA without kid", () => many(keys.ed, "EdDSA", undefined), ok("Many")),
  bearer("the right scope among others", () => token({ scope: "read write" }), ok("Scoped")),
  bearer("the right scope in a list", () => token({ scope: undefined, scp: ["read", "write"] }), ok("Scoped")),
  bearer("the right role", () => token({ role: "admin" }), ok("Role")),
  bearer("the right role in a list", () => token({ role: ["user", "admin"] }), ok("Role")),
  bearer("a claim inside another, as a number", () => token({ org: { id: 7 } }), ok("Org")),
  attack("the claim's tenant", () => ({ fields: [["authorization", `Bearer ${token({ tenant: "a" })}`], ["x-tenant", "a"]] }), ok("Cel")),
  attack("the header's token", () => ({ fields: [["x-token", token({}, "header")]] }), ok("Header")),
  attack("a good token in two places", () => ({ fields: [["x-token", token({}, "header")], ["authorization", `Bearer ${token()}`]] }), ok()),
  attack("a cookie from a page that may", () => ({ fields: [["cookie", `a=b; session=${token({}, "cookie")}; c=d`], ["origin", page]] }), ok("Cookie")),
  attack("a cookie from the proxy's own page", () => ({ fields: [["cookie", `session=${token({}, "cookie")}`], ["origin", "https://proxy.example"]] }), ok("Cookie")),
  attack("a cookie from the same origin, as the browser says", () => ({ fields: [["cookie", `session=${token({}, "cookie")}`], ["sec-fetch-site", "same-origin"]] }), ok("Cookie")),
  attack("an API key of the config", () => ({ fields: [["x-api-key", apiKey.config]] }), ok("Key")),
  attack("an API key of the store", () => ({ fields: [["x-api-key", apiKey.stored]] }), ok("Key")),
  attack("a forwarded certificate from the front that is trusted", () => ({ fields: [["x-front-cert", `By=spiffe://x;Hash=${certificate.hash};Subject="${certificate.subject}"`]] }), ok("Front")),
  attack("the last of two forwarded certificates", () => ({ fields: [["x-front-cert", `Hash=${"0".repeat(64)},Hash=${certificate.hash}`]] }), ok("Front")),
  attack("an authorizer that says yes", () => ({ fields: [["authorization", `Bearer ${token()}`], ["x-want", "allow"]] }), ok("Asked")),
  attack("an open authorizer that is silent", () => ({ fields: [["authorization", `Bearer ${token()}`], ["x-want", "silence"]] }), ok("AskedOpen")),
  attack("an open authorizer that is down", () => ({ fields: [["authorization", `Bearer ${token()}`]] }), ok("AskedDownOpen")),
  attack("a public method without a token", () => ({}), ok("Public")),
  attack("a public method with a bad token", () => ({ fields: [["authorization", "Bearer x"]] }), ok("Public")),
  attack("a good token below the base", () => ({ target: (path) => `/api${path}`, fields: [["authorization", `Bearer ${token()}`]] }), ok()),
  attack("a good token, and a query", () => ({ target: (path) => `${path}?x=y`, fields: [["authorization", `Bearer ${token()}`]] }), { ...ok(), forms: posts }),
  attack("a good token, and trailers", () => ({ trailers: [["x-a", "b"]], fields: [["authorization", `Bearer ${token()}`]] }), { ...ok(), forms: posts }),
  attack("a good token in a target in absolute form", () => ({ target: (path) => `http://proxy.example${path}`, fields: [["authorization", `Bearer ${token()}`]] }), ok()),
  bearer("claims with a header for each", () => forge(header(), claims({ tenant: "a" }), by(keys.main)), ok()),
];
