import { hash } from "node:crypto";
import { expect, it } from "vitest";
import { mayUseCookie, withoutCookies } from "../../worker/core/auth/cookie.ts";
import { issuerName, signingKey, token } from "./issuer.ts";
import { guarded } from "./world.ts";

it("where one provider of a header strips, only a caller whom another one vouches for has a token that goes on", async () => {
  const key = await signingKey("a");
  const issuer = (iss: string, more: string) => `{ issuer: "${iss}", audiences: [api], algorithms: [RS256], jwks: '${JSON.stringify({ keys: [key.publicJwk] })}'${more} }`;
  const { call, ports } = await guarded({ auth: `{ providers: { hides: ${issuer(issuerName, ", strip: true")}, keeps: ${issuer("https://two.example", "")}, k: { api_keys: { keys: [{ name: cron, sha256: ${hash("sha256", "good-key")} }] } } }, identity: { claim_headers: { x-who: sub }, provider_header: x-vouches }, rules: [{ match: { method: /t.S/Get }, allow: PUBLIC }, { match: { prefix: / }, any: [{ provider: k }, { provider: hides }, { provider: keeps }] }] }` });
  const [hidden, kept] = await Promise.all([issuerName, "https://two.example"].map(async (iss) => ({ authorization: `Bearer ${await token(key, ports.now(), { claims: { iss } })}` })));
  const goesOn = async (...of: Parameters<typeof call>) => (await call(...of)).sent!.has("authorization");
  expect([await goesOn(kept), await goesOn(hidden), await goesOn({ ...hidden, "x-api-key": "good-key" }), await goesOn(hidden, { method: "Get" })]).toEqual([true, false, false, false]);
  const { sent } = await call({ ...kept, "x-vouches": "hides" });
  expect([sent!.get("x-who"), sent!.get("x-vouches")]).toEqual(["ada", "keeps"]);
  expect((await call({ "x-vouches": "hides" }, { method: "Get" })).sent!.get("x-vouches")).toBeNull();
});

it.each([
  ["a=1,b=2; session=x", "a=1,b=2"],
  ["a=1, session=x; b=2", "b=2"],
  ["session=x", undefined],
])("%s without the token is %s", (cookies, rest) => expect(withoutCookies(cookies, ["session"])).toBe(rest));

it.each([
  ["http://edge.example/t.S/Get", "https://edge.example", true],
  ["http://edge.example/t.S/Get", "http://edge.example", false],
  ["https://edge.example/t.S/Get", "http://edge.example", false],
  ["http://127.0.0.1:8080/t.S/Get", "http://127.0.0.1:8080", true],
  ["http://127.evil.example/t.S/Get", "http://127.evil.example", false],
])("a cookie at %s from a page of %s counts: %s", (url, origin, counts) => expect(mayUseCookie({ url, origin, fetchSite: null }, [])).toBe(counts));
