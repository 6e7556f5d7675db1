import { generateKeyPair, exportJWK, type JWK } from "jose";
import { beforeAll, describe, expect, it } from "vitest";
import { chooseKey, readKeySet } from "../../../worker/core/auth/keys.ts";
import { signingKey } from "../../auth/issuer.ts";

let rsa: JWK;
let ec: JWK;
let ed: JWK;
let rsaPrivate: JWK;
let weak: JWK;
beforeAll(async () => {
  const [a, b, c] = await Promise.all([signingKey("a"), signingKey("b", "ES256"), signingKey("c", "EdDSA")]);
  [rsa, ec, ed, rsaPrivate] = [a.publicJwk, b.publicJwk, c.publicJwk, a.privateJwk];
  const small = (await crypto.subtle.generateKey({ name: "RSASSA-PKCS1-v1_5", hash: "SHA-256", modulusLength: 1024, publicExponent: new Uint8Array([1, 0, 1]) }, true, ["sign", "verify"])) as CryptoKeyPair;
  weak = { ...((await crypto.subtle.exportKey("jwk", small.publicKey)) as JWK), kid: "a", key_ops: ["verify"] };
});

const kids = (...keys: unknown[]) => readKeySet({ keys })?.map(({ kid }) => kid);

describe("of a key set", () => {
  it("public signature keys count", () => expect(kids(rsa, ec, ed)).toEqual(["a", "b", "c"]));

  const odd: [string, () => unknown][] = [
    ["private keys", () => rsaPrivate],
    ["symmetric keys", () => ({ kty: "oct", k: "AAAA", kid: "a" })],
    ["RSA keys that have a part of a symmetric one", () => ({ ...rsa, k: "AAAA" })],
    ["RSA keys of 1,024 bits", () => weak],
    ["RSA keys whose exponent is 1", () => ({ ...rsa, e: "AQ" })],
    ["RSA keys whose exponent is even", () => ({ ...rsa, e: "Ag" })],
    ["keys to encrypt with", () => ({ ...rsa, use: "enc" })],
    ["keys that only wrap", () => ({ ...rsa, use: undefined, key_ops: ["wrapKey"] })],
    ["keys whose operations are a text", () => ({ ...rsa, key_ops: "verify" })],
    ["keys of other kinds", () => ({ ...rsa, kty: "AKP" })],
    ["keys on other curves", () => ({ ...ec, crv: "secp256k1" })],
    ["keys on a curve of JavaScript's", () => ({ ...ec, crv: "constructor" })],
    ["keys whose point is cut", () => ({ ...ec, x: ec.x!.slice(4) })],
    ["keys with padding", () => ({ ...ec, x: `${ec.x}=` })],
    ["keys for agreement", () => ({ ...ed, crv: "X25519" })],
    ["keys whose name is a number", () => ({ ...rsa, kid: 1 })],
    ["texts", () => "key"],
    ["null", () => null],
    ["lists", () => [rsa]],
  ];
  it.each(odd)("%s are left out, and spoil nothing", (_what, key) => expect(kids(key(), ec)).toEqual(["b"]));

  it("that is none nothing counts", () => {
    expect([readKeySet(null), readKeySet([]), readKeySet({}), readKeySet({ keys: {} }), readKeySet(JSON.parse('{"__proto__":{"keys":[]}}'))]).toEqual([undefined, undefined, undefined, undefined, undefined]);
  });

  it("with more than a hundred keys nothing counts, and a key that is there twice counts once", () => {
    const many = Array.from({ length: 100 }, (_, i) => ({ ...rsa, kid: String(i) }));
    expect([kids(...many)?.length, kids(...many, ec)]).toEqual([100, undefined]);
    expect(kids(rsa, rsa)).toEqual(["a"]);
  });
});

describe("a token's key", () => {
  it("is, of two with one name, the one that names the token's algorithm", () => {
    const chosen = (...keys: unknown[]) => {
      const key = chooseKey(readKeySet({ keys })!, "RS256", "a");
      return typeof key === "string" ? key : key.alg;
    };
    const open = { ...rsa, alg: undefined };
    const other = { ...rsa, e: "AQAD" };
    expect([chosen(open, other), chosen(other, open), chosen(open, { ...other, alg: undefined }), chosen(rsa, other)]).toEqual(["RS256", "RS256", "many-keys", "many-keys"]);
  });

  it("fits its algorithm, by its kind, its curve and its own alg", async () => {
    const p384 = { ...(await exportJWK((await generateKeyPair("ES384", { extractable: true })).publicKey)), kid: "b" };
    const set = readKeySet({ keys: [rsa, ec, ed, p384, { ...rsa, kid: "any", alg: undefined }] })!;
    const chosen = (alg: Parameters<typeof chooseKey>[1], kid?: string) => {
      const key = chooseKey(set, alg, kid);
      return typeof key === "string" ? key : `${key.jwk.kty} ${key.kid}`;
    };
    expect([chosen("RS256", "a"), chosen("PS256", "a"), chosen("PS256", "any"), chosen("PS256"), chosen("RS256"), chosen("ES256", "b"), chosen("ES384", "b"), chosen("ES512", "b"), chosen("EdDSA", "c"), chosen("EdDSA", "a")]).toEqual([
      "RSA a", "unknown-key", "RSA any", "RSA any", "RSA a", "EC b", "EC b", "unknown-key", "OKP c", "unknown-key",
    ]);
  });
});
