import fc from "fast-check";
import { createLocalJWKSet, type JWK, jwtVerify } from "jose";
import { beforeAll, describe, expect, it } from "vitest";
import { chooseKey, type KeySet, readKeySet } from "../../../worker/core/auth/keys.ts";
import { isSigned, verifyingKey } from "../../../worker/core/auth/signature.ts";
import { bearerToken, readToken, tokenFault } from "../../../worker/core/auth/token.ts";
import type { Algorithm } from "../../../worker/core/config/compiled-auth.ts";
import { issuerName, type SigningKey, signingKey, token, type TokenParts } from "../../auth/issuer.ts";
import { noon } from "../health/tables.ts";

const algorithms: Algorithm[] = ["RS256", "ES256", "EdDSA"];
const expected = { issuer: issuerName, audiences: ["api", "other"], algorithms, clockSkewMs: 30_000 };
const seconds = noon / 1000;

let keys: SigningKey[];
let set: KeySet;
let stranger: SigningKey;
beforeAll(async () => {
  keys = await Promise.all(algorithms.map((alg) => signingKey(alg.toLowerCase(), alg)));
  set = readKeySet({ keys: keys.map(({ publicJwk }) => publicJwk) })!;
  stranger = await signingKey("rs256");
});

/** What is wrong with a token; undefined where it is good. */
async function judge(text: string, now = noon): Promise<string | undefined> {
  const read = readToken(text);
  if (typeof read === "string") return read;
  const fault = tokenFault(read, expected, now);
  if (fault !== undefined) return fault;
  const key = chooseKey(set, read.alg as Algorithm, read.kid);
  if (typeof key === "string") return key;
  return (await isSigned(text, await verifyingKey(key, read.alg as Algorithm), read.alg as Algorithm)) ? undefined : "signature";
}

const encoded = (value: unknown): string => Buffer.from(typeof value === "string" ? value : JSON.stringify(value)).toString("base64url");

describe("a token", () => {
  it.each(algorithms)("that is signed with %s and says what it must is good", async (alg) => {
    expect(await judge(await token(keys.find((key) => key.alg === alg)!, noon))).toBeUndefined();
  });

  const claims: [string, Record<string, unknown>, string | undefined][] = [
    ["of another issuer", { iss: "https://evil.example" }, "issuer"],
    ["whose issuer has a slash more", { iss: `${issuerName}/` }, "issuer"],
    ["without an issuer", { iss: undefined }, "issuer"],
    ["whose issuer is a list", { iss: [issuerName] }, "issuer"],
    ["for a longer audience", { aud: "api2" }, "audience"],
    ["for an audience with a slash more", { aud: "api/" }, "audience"],
    ["for nobody", { aud: undefined }, "audience"],
    ["for an empty list", { aud: [] }, "audience"],
    ["for several, one of which is meant", { aud: ["x", "api"] }, undefined],
    ["for several, none of which is meant", { aud: ["x", "apis"] }, "audience"],
    ["for a list in a list", { aud: [["api"]] }, "audience"],
    ["for a text and a number", { aud: ["api", 1] }, "audience"],
    ["that never expires", { exp: undefined }, "no-expiry"],
    ["that expired at the beginning of time", { exp: 0 }, "expired"],
    ["that expires in a text", { exp: String(seconds + 60) }, "date"],
    ["that expires in milliseconds", { exp: noon + 60_000 }, "date"],
    ["that expires after all time", { exp: 1e308 }, "date"],
    ["that expires never, in JSON", { exp: null }, "date"],
    ["that expired before the skew", { exp: seconds - 30 }, "expired"],
    ["that expired within the skew", { exp: seconds - 29 }, undefined],
    ["that begins within the skew", { nbf: seconds + 30 }, undefined],
    ["that begins after the skew", { nbf: seconds + 31 }, "early"],
    ["that begins in a text", { nbf: "0" }, "date"],
    ["that was issued in the future", { iat: seconds + 31 }, "future"],
    ["that was issued in the past of all time", { iat: -1 }, "date"],
    ["whose subject is a number", { sub: 7 }, "subject"],
    ["whose subject is __proto__", { sub: "__proto__" }, undefined],
  ];
  it.each(claims)("%s: %o is told as %s", async (_what, said, fault) => {
    expect(await judge(await token(keys[0]!, noon, { claims: said }))).toBe(fault);
  });

  const headers: [string, Record<string, unknown>, string][] = [
    ["with an unknown extension", { crit: ["exp"] }, "critical"],
    ["of an unencoded payload", { b64: true }, "critical"],
    ["that is a proof", { typ: "dpop+jwt" }, "type"],
    ["that is for logging out", { typ: "logout+jwt" }, "type"],
    ["with another one inside", { cty: "JWT" }, "type"],
    ["of an unknown kid", { kid: "nobody" }, "unknown-key"],
    ["of the kid of another kind of key", { kid: "es256" }, "unknown-key"],
  ];
  it.each(headers)("%s is refused", async (_what, said, fault) => {
    const extra = said["crit"] === undefined ? said : {};
    const good = await token(keys[0]!, noon, { header: extra });
    const [head, ...rest] = good.split(".");
    const text = said["crit"] === undefined ? good : [encoded({ ...JSON.parse(Buffer.from(head!, "base64url").toString()), ...said }), ...rest].join(".");
    expect(await judge(text)).toBe(fault);
  });

  it("without a key's name is refused where two keys of the set fit it", async () => {
    const two = readKeySet({ keys: [keys[0]!.publicJwk, { ...stranger.publicJwk, kid: "x" }] })!;
    expect(chooseKey(two, "RS256", undefined)).toBe("many-keys");
    expect(chooseKey(set, "RS256", undefined)).toMatchObject({ kid: "rs256" });
  });

  it("is bounded in size", async () => {
    expect(await judge(await token(keys[0]!, noon, { claims: { x: "y".repeat(8192) } }))).toBe("size");
  });

  it("is none with alg none, whatever the case and the signature", async () => {
    const body = (await token(keys[0]!, noon)).split(".")[1]!;
    for (const alg of ["none", "None", "NONE", "HS256", "RS384", "", "RS256 "]) {
      expect(await judge(`${encoded({ alg, kid: "rs256" })}.${body}.AAAA`)).toBe("algorithm");
    }
    expect(await judge(`${encoded({ alg: "none" })}.${body}.`)).toBe("form");
  });

  it("has no object with two members of one name", async () => {
    const { privateKey } = keys[0]!;
    const body = `{"iss":"${issuerName}","aud":"api","exp":${seconds + 60},"sub":"eve","sub":"ada"}`;
    const head = encoded({ alg: "RS256", kid: "rs256" });
    const signature = Buffer.from(await crypto.subtle.sign("RSASSA-PKCS1-v1_5", privateKey, Buffer.from(`${head}.${encoded(body)}`))).toString("base64url");
    expect(await judge(`${head}.${encoded(body)}.${signature}`)).toBe("claims");
  });

  it.each(["a..b..c", "a.b", "a.b.c.d", "a.b.c.d.e", "", ".", "..", "AA==.AA.AA", " AA.AA.AA", "AB.AA.AA", "AA.AA.AA\n"])("of the form %j is none", (text) => {
    expect(readToken(text)).toBe("form");
  });

  it.each(["Bearer", "Bearer ", "Bearer  x.y.z", "Bearer\tx", "xBearer AA.AA.AA", "Bearer AA.AA.AA, Bearer AA.AA.AA", "Bearer AA.AA.AA y", " Bearer AA.AA.AA", "Bearer AA.AA.AA ", "Basic AA.AA.AA", "AA.AA.AA"])("is not in %j", (value) => {
    const shown = bearerToken(value);
    expect(shown === undefined ? "form" : readToken(shown)).toBe("form");
  });
  it.each(["Bearer x", "bearer x", "BEARER x", "bEaReR x"])("is in %j", (value) => expect(bearerToken(value)).toBe("x"));
});

/** How a token is spoiled: its parts before it is signed, or its text after. */
const parts: fc.Arbitrary<TokenParts> = fc.record({
  claims: fc.dictionary(fc.constantFrom("iss", "aud", "exp", "nbf", "iat", "sub"), fc.oneof(fc.constantFrom(issuerName, "api", ["api"], seconds, seconds - 29, seconds - 30, seconds + 31, seconds + 90), fc.jsonValue({ maxDepth: 1 }), fc.double())),
  header: fc.dictionary(fc.constantFrom("kid", "typ", "cty", "jku", "x"), fc.oneof(fc.constantFrom("rs256", "es256", "JWT", "at+jwt"), fc.string())),
}, { requiredKeys: [] });

const edits = fc.array(fc.record({ at: fc.nat(2000), remove: fc.nat(2), insert: fc.constantFrom("", "A", ".", "=", " ", "-", "\n", "%2e", "é") }), { maxLength: 2 });

describe("of tokens that were spoiled in any way", () => {
  it("none is taken that jose would not take", async () => {
    const jwks = createLocalJWKSet({ keys: keys.map(({ publicJwk }) => publicJwk as JWK) });
    let taken = 0;
    await fc.assert(
      fc.asyncProperty(fc.nat(2), fc.option(parts), edits, fc.boolean(), async (which, spoiled, changes, strange) => {
        let text = await token(strange && changes.length > 1 ? stranger : keys[which]!, noon, spoiled ?? {});
        for (const { at, remove, insert } of changes) {
          const from = at % (text.length + 1);
          text = text.slice(0, from) + insert + text.slice(from + remove);
        }
        if ((await judge(text)) !== undefined) return;
        taken++;
        await jwtVerify(text, jwks, { issuer: issuerName, audience: expected.audiences, algorithms, clockTolerance: 30, currentDate: new Date(noon), requiredClaims: ["exp"] });
      }),
      { numRuns: 3000 },
    );
    expect(taken).toBeGreaterThan(100);
  });
});
