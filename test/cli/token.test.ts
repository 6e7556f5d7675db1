import { createHash } from "node:crypto";
import { existsSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createLocalJWKSet, importJWK, type JSONWebKeySet, type JWK, jwtVerify } from "jose";
import { describe, expect, it } from "vitest";
import { denoKvFile } from "../../cli/store/deno-kv.ts";
import { readStoredKeys } from "../../worker/core/auth/api-keys.ts";
import { fairleadIn } from "./fairlead.ts";
import { folder, withLocalities } from "./temporary.ts";

const base = withLocalities("[{ region: a, endpoints: [{ url: http://127.0.0.1:1 }] }]");
const configWith = (providers: string) => `${base}\nauth: { providers: { ${providers} }, rules: [{ match: { prefix: / }, allow: PUBLIC }] }\n`;
const issuer = (jwks: string, more = "") => `dev: { issuer: https://dev.example, audiences: [api, other], algorithms: [ES256], jwks: '${jwks}'${more} }`;

/** A folder whose config trusts its key for development. */
async function trusting(more = "") {
  const directory = folder({});
  const run = fairleadIn(directory);
  const { out } = await run("token", "--jwks");
  writeFileSync(join(directory, "fairlead.yaml"), configWith(issuer(out.trim(), more)));
  return { directory, run, jwks: JSON.parse(out) as JSONWebKeySet };
}

describe("`token`", () => {
  it("makes a key once, which only its owner reads and git leaves alone, and prints its public half", async () => {
    const { directory, run, jwks } = await trusting();
    expect(statSync(join(directory, ".fairlead/dev-key.json")).mode & 0o777).toBe(0o600);
    expect(readFileSync(join(directory, ".fairlead/.gitignore"), "utf8")).toBe("*\n");
    expect(await run("token", "--jwks")).toEqual({ code: 0, out: `${JSON.stringify(jwks)}\n`, err: "" });
    expect(Object.keys(jwks.keys[0]!).sort()).toEqual(["alg", "crv", "kid", "kty", "use", "x", "y"]);
  });

  it("prints a token that says what it was told, and what its provider asks", async () => {
    const { run, jwks } = await trusting();
    const { out } = await run("token", "--subject", "ada", "--scope", "a", "--scope", "b", "--claim", "org.id=5", "--claim", "tenant=acme", "--expires", "5m");
    const { payload, protectedHeader } = await jwtVerify(out.trim(), createLocalJWKSet(jwks), { issuer: "https://dev.example", audience: "api", algorithms: ["ES256"] });
    expect(payload).toEqual({ iss: "https://dev.example", aud: "api", sub: "ada", scope: "a b", org: { id: 5 }, tenant: "acme", iat: expect.any(Number), exp: payload.iat! + 300 });
    expect(protectedHeader).toEqual({ alg: "ES256", kid: jwks.keys[0]!.kid, typ: "JWT" });
  });

  it("puts scopes where the provider looks for them", async () => {
    const { run, jwks } = await trusting(", scopes_claim: permissions");
    const { payload } = await jwtVerify((await run("token", "--scope", "a")).out.trim(), createLocalJWKSet(jwks));
    expect(payload).toMatchObject({ permissions: "a" });
  });

  it("says what to do where the provider does not hold the key", async () => {
    const { directory, run } = await trusting();
    const other = (await fairleadIn(folder({}))("token", "--jwks")).out.trim();
    writeFileSync(join(directory, "fairlead.yaml"), configWith(issuer(other)));
    const advice = "must hold the key in .fairlead/dev-key.json: put what `fairlead token --jwks` prints into its jwks, of an environment for development, not production\n";
    expect(await run("token")).toEqual({ code: 1, out: "", err: `Cannot make a token as a provider of fairlead.yaml ${advice}` });
    expect(await run("token", "--provider", "dev")).toEqual({ code: 1, out: "", err: `Cannot make a token as the provider "dev" ${advice}` });
    expect(await run("token", "--provider", "main")).toEqual({ code: 1, out: "", err: "Cannot make a token as --provider must name an issuer of tokens: there are dev\n" });
  });

  it("refuses claims and times that are none", async () => {
    const { run } = await trusting();
    expect((await run("token", "--claim", "tenant")).err).toContain("Must be a claim's name, = and its value");
    expect((await run("token", "--expires", "soon")).err).toContain("Must be a duration");
    expect((await run("token", "--new-key", "HS256")).err).toContain("Must be one of RS256");
  });

  it.each(["RS256", "PS384", "ES512", "EdDSA"])("prints a private key for %s with kid and alg, and keeps none", async (alg) => {
    const directory = folder({});
    const key = JSON.parse((await fairleadIn(directory)("token", "--new-key", alg)).out) as JWK;
    expect(key).toMatchObject({ alg, kid: expect.stringMatching(/^[\w-]{43}$/), d: expect.any(String) });
    expect((await importJWK(key)) as CryptoKey).toMatchObject({ type: "private" });
    expect(existsSync(join(directory, ".fairlead"))).toBe(false);
  });
});

describe("`keys`", () => {
  const at = ["--kv", "kv.sqlite"];
  const keyed = () => {
    const directory = folder({ "fairlead.yaml": configWith("scripts: { api_keys: { stored: true } }") });
    return { directory, run: fairleadIn(directory), document: () => denoKvFile(join(directory, "kv.sqlite")).get("api-keys/scripts") };
  };

  it("adds a key that is shown once, of which the store knows the SHA-256, until it is revoked", async () => {
    const { run, document } = keyed();
    expect((await run("keys", "list", ...at)).out).toBe("there is no key\n");
    const key = (await run("keys", "add", "nightly", "--scope", "a", "--scope", "b", ...at)).out.trim();
    const sha256 = createHash("sha256").update(key).digest("hex");
    expect(key).toMatch(/^fl_[\w-]{43}$/);
    expect([...readStoredKeys((await document())!)!.values()]).toEqual([{ name: "nightly", sha256, scopes: ["a", "b"] }]);
    expect(await run("keys", "revoke", "nightly", ...at)).toEqual({ code: 0, out: `nightly ${sha256.slice(0, 8)}: revoked\n`, err: "" });
    expect(readStoredKeys((await document())!)!.size).toBe(0);
    expect((await run("keys", "list", ...at)).out).toMatch(new RegExp(`\nnightly +${sha256.slice(0, 8)} +a b +revoked\n$`));
  });

  it("revokes one of two keys of a name by its SHA-256, so that the other goes on", async () => {
    const { run, document } = keyed();
    const [old, next] = [await run("keys", "add", "nightly", ...at), await run("keys", "add", "nightly", ...at)].map(({ out }) => createHash("sha256").update(out.trim()).digest("hex"));
    expect((await run("keys", "revoke", old!.slice(0, 8), ...at)).code).toBe(0);
    expect([...readStoredKeys((await document())!)!.keys()]).toEqual([next]);
  });

  it("loses no revocation and no key where several are made at once", async () => {
    const { run, document } = keyed();
    const added = await Promise.all(["a", "b"].map((name) => run("keys", "add", name, ...at)));
    const changed = await Promise.all([run("keys", "revoke", "a", ...at), run("keys", "add", "c", ...at), run("keys", "revoke", "b", ...at)]);
    expect([...added, ...changed].map(({ err }) => err)).toEqual(["", "", "", "", ""]);
    expect([...readStoredKeys((await document())!)!.values()].map(({ name }) => name)).toEqual(["c"]);
  });

  it("says what is wrong, and then changes nothing", async () => {
    const { directory, run, document } = keyed();
    expect((await run("keys", "add", "two words", ...at)).err).toContain('Cannot add a key as its name must be of letters, digits, ".", "_", "@" and "-": current value is "two words"');
    expect((await run("keys", "add", "a", "--provider", "main", ...at)).err).toBe("Cannot tell whose keys are meant as --provider must name one with api_keys: {stored: true}: there are scripts\n");
    expect((await run("keys", "revoke", "nightly", ...at)).err).toBe('Cannot revoke "nightly" as it must be a key that is good: there is none\n');
    expect((await run("keys", "list")).err).toContain("one of --remote, --local and --kv FILE must be given");
    expect(await document()).toBeNull();
    await denoKvFile(join(directory, "kv.sqlite")).put("api-keys/scripts", Uint8Array.of(1));
    expect((await run("keys", "add", "a", ...at)).err).toContain('Cannot change the keys as the document "api-keys/scripts" must be readable: it is corrupt');
  });
});
