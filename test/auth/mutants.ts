import fc from "fast-check";
import { by, byHmac, loose, pair, type Pair, part, type Sign, text } from "../e2e/attacks/forge.ts";

/** Requests of which most are nearly good: tokens and heads that were bent in a few places. */

/** `other` and `apart` are the other providers'; `open` is published without saying by which algorithm it may be used; the strangers are nobody's. */
export const keys = { rsa: pair("rsa"), open: pair("open"), ec: pair("ec", "ES256"), ed: pair("ed", "EdDSA"), other: pair("ec", "ES256"), apart: pair("apart", "ES256"), stranger: pair("ec", "ES256"), strange: pair("rsa") } as const;
export const issuer = "https://main.example";
export const otherIssuer = "https://other.example";
/** Whose tokens stand in x-token. */
export const headerIssuer = "https://header.example";
export const now = Date.UTC(2026, 10, 24) / 1000;

/** Whose tokens providers vouch for: `other` is the other provider's key. */
export type Owner = "rsa" | "open" | "ec" | "ed" | "other";

/** The header and the claims of a good token. */
export function headOf(owner: Owner) {
  const { alg, kid } = keys[owner];
  return { alg, kid, typ: "JWT" };
}

export function claimsOf(owner: Owner) {
  return { iss: owner === "other" ? otherIssuer : issuer, aud: "api", sub: "ada", iat: now - 10, exp: now + 600, scope: "read write", role: "admin" };
}

/** Members of a JSON object in order, each with its value as text: several may have one name. */
type Members = readonly (readonly [name: string, json: string])[];

function membersOf(of: object): Members {
  return Object.entries(of).map(([name, value]) => [name, JSON.stringify(value)]);
}

/** The bending of one object: a member is set, put behind, put before, or left out. */
interface Bend {
  readonly how: "set" | "behind" | "before" | "drop";
  readonly name: string;
  readonly json: string;
}

export interface Mutant {
  readonly verb: string;
  readonly path: string;
  readonly query: string;
  /** Header fields; those of one name are joined as runtimes do. */
  readonly fields: readonly (readonly [name: string, value: string])[];
}

const rarely = <T>(usual: T, others: fc.Arbitrary<T>, weight = 15): fc.Arbitrary<T> => fc.oneof({ weight, arbitrary: fc.constant(usual) }, { weight: 1, arbitrary: others });

function bent(members: Members, bends: readonly Bend[]): string {
  const all = bends.reduce<Members>((so, { how, name, json }) => {
    if (how === "behind") return [...so, [name, json]];
    if (how === "before") return [[name, json], ...so];
    const rest = so.filter(([own]) => own !== name);
    return how === "drop" ? rest : [...rest, [name, json]];
  }, members);
  return `{${all.map(([name, json]) => `${JSON.stringify(name)}:${json}`).join(",")}}`;
}

const bends = (names: readonly string[], values: readonly unknown[]): fc.Arbitrary<readonly Bend[]> => {
  const json = fc.oneof(fc.constantFrom(...values.map((value) => JSON.stringify(value))), fc.constantFrom("1e999", "-0", "01", "NaN", "", "{", '"\\ud800"', "1.5", "1e3"), fc.json({ maxDepth: 1 }));
  const one = fc.record({ how: fc.constantFrom("set", "set", "set", "behind", "before", "drop"), name: fc.oneof({ weight: 9, arbitrary: fc.constantFrom(...names) }, { weight: 1, arbitrary: fc.string({ maxLength: 4 }) }), json }) as fc.Arbitrary<Bend>;
  return fc.oneof({ weight: 3, arbitrary: fc.constant([]) }, { weight: 2, arbitrary: fc.array(one, { minLength: 1, maxLength: 2 }) });
};

const algs = ["RS256", "ES256", "EdDSA", "PS256", "RS384", "HS256", "none", "None", "", "ES384", "rs256", null, 1, ["ES256"]];
const anyHeader = bends(["alg", "kid", "typ", "crit", "b64", "jwk", "jku", "enc", "zip", "cty", "__proto__"], [...algs, "rsa", "ec", "ed", "x", "JWT", "at+jwt", "JOSE", "JWE", ["b64"], [], false, keys.stranger.jwk, "https://evil.example"]);
const dates = [0, -1, 1, now - 31, now - 30, now - 29.5, now - 1, now, now + 1, now + 29, now + 30, now + 31, now + 600, now * 1000, String(now + 600), 2 ** 53, 1e300, null, true, [now + 600]];
const anyClaims = bends(
  ["iss", "aud", "exp", "nbf", "iat", "sub", "scope", "scp", "role", "__proto__", "constructor"],
  [...dates, issuer, otherIssuer, `${issuer}/`, [issuer], "api", ["api"], ["x", "api"], "api/", "ap", [["api"]], {}, "read", "write", "read write", "writes", "wr", "over.write", ["write"], "admin", ["admin"], { scope: "write", exp: now + 600 }, "ada", "root\r\n", "", "x".repeat(9000)],
);

type Signer = keyof typeof keys | "hmac" | "nobody";
const signers: readonly Signer[] = ["rsa", "ec", "ed", "other", "stranger", "strange", "hmac", "nobody"];

function signer(name: Signer, alg: string): Sign {
  if (name === "nobody") return text("");
  if (name === "hmac") return byHmac(keys.ec.pem);
  const key: Pair = keys[name];
  const fits = key.alg === "RS256" ? /^[RP]S(?:256|384|512)$/.test(alg) : key.alg === alg;
  return by(key, fits ? alg : key.alg);
}

const anyToken = fc.record({
  owner: fc.constantFrom<Owner>("ec", "ec", "ec", "ed", "ed", "rsa", "open", "other"),
  signer: rarely<Signer | null>(null, fc.constantFrom(...signers), 6),
  header: anyHeader,
  claims: anyClaims,
}).map(({ owner, signer: instead, header, claims }) => {
  const key: Pair = keys[owner];
  const head = bent(membersOf(headOf(owner)), header);
  const body = bent(membersOf(claimsOf(owner)), claims);
  const input = `${part(head)}.${part(body)}`;
  const alg = header.findLast(({ name, how }) => name === "alg" && how === "set")?.json.replaceAll('"', "") ?? key.alg;
  return `${input}.${signer(instead ?? owner, alg)(input)}`;
});

/** What is done to a text: at a place, some characters are put, taken, or turned. */
const anyTextChange = fc.record({ how: fc.constantFrom("insert", "delete", "replace", "case", "double-dot", "loose", "part-twice", "cut"), at: fc.nat(10_000), with: fc.constantFrom("=", "==", " ", "\t", ".", "A", "-", "_", "+", "/", ",", ";", "\"", "%2e", "\u00e9", "\u00a0", "AAAA", "0") });

function changed(token: string, changes: readonly { how: string; at: number; with: string }[]): string {
  return changes.reduce((so, { how, at: anywhere, with: put }) => {
    const at = so.length === 0 ? 0 : anywhere % so.length;
    switch (how) {
      case "insert": return so.slice(0, at) + put + so.slice(at);
      case "delete": return so.slice(0, at) + so.slice(at + 1);
      case "replace": return so.slice(0, at) + put + so.slice(at + put.length);
      case "case": return so.slice(0, at) + (so[at] === so[at]?.toLowerCase() ? so[at]?.toUpperCase() : so[at]?.toLowerCase()) + so.slice(at + 1);
      case "double-dot": return so.replace(".", "..");
      case "loose": return so.split(".").map((one, i) => (i === anywhere % 3 && one.length > 0 && one.length % 4 > 1 ? loose(one) : one)).join(".");
      case "part-twice": return `${so}.${so.split(".")[anywhere % 3]}`;
      default: return so.slice(0, at);
    }
  }, token);
}

export const services = ["Main", "Scoped", "Role", "Other", "Header", "Public", "Unruled"] as const;
const anyPath = fc.record({
  service: fc.constantFrom("Main", "Main", ...services),
  change: rarely("", fc.constantFrom("/", "//", "/..", "/../t.Public/Get", "/.", ";", "?x", "%2f", "%00", "\\", "#x", "..", "/x")),
  before: rarely("", fc.constantFrom("/", "/.", "/t.Public/..", "/x", "//", "/%2e%2e", "\\")),
  from: rarely(["", ""] as readonly [string, string], fc.constantFrom(["Get", "get"], ["Get", "%47et"], ["/Get", "//Get"], ["/Get", "%2fGet"], ["t.", "T."], ["t.", "t%2e"], ["Get", "Get2"], ["Main", "Public/../t.Main"], ["Main", "Main;a=b"], ["Main", "Mа\u0069n"])),
}).map(({ service, change, before, from: [what, to] }) => `${before}/t.${service}/Get${change}`.replace(what, to));

const anyScheme = rarely("Bearer ", fc.constantFrom("bearer ", "BEARER ", "Bearer  ", "Bearer\t", "Bearer", "xBearer ", "Basic ", "Bearer Bearer ", "Token ", "", "DPoP ", "Bearer,", "Bearer: ", "\u00a0Bearer "));
const anyOther = fc.array(
  fc.constantFrom(
    ["x-user-id", "root"], ["X-User-Id", "root"], ["connection", "authorization"], ["connection", "x-user-id"], ["x_user_id", "root"], ["x-original-url", "/t.Public/Get"], ["x-http-method-override", "GET"], ["proxy-authorization", "Bearer x"],
    ["authorization", ""], ["authorization", "Bearer x"], ["cookie", "a=b"], ["x-forwarded-host", "evil.example"], ["origin", "https://evil.example"], ["connect-timeout-ms", "5000"], ["x-any", "thing"], ["accept", "*/*"],
  ) as fc.Arbitrary<readonly [string, string]>,
  { maxLength: 2 },
);

export const anyMutant: fc.Arbitrary<Mutant> = fc.record({
  verb: rarely("POST", fc.constantFrom("GET", "GET", "HEAD", "PUT", "OPTIONS", "DELETE"), 10),
  path: anyPath,
  token: anyToken,
  changes: fc.oneof({ weight: 4, arbitrary: fc.constant([]) }, { weight: 1, arbitrary: fc.array(anyTextChange, { minLength: 1, maxLength: 2 }) }),
  scheme: anyScheme,
  name: rarely("authorization", fc.constantFrom("Authorization", "x-authorization", "proxy-authorization", "cookie", "authorization2", "x-token"), 15),
  twice: rarely(false, fc.constant(true), 20),
  type: rarely("application/proto", fc.constantFrom("application/json", "application/grpc-web+proto", "application/grpc-web-text", "application/connect+proto", "text/plain", "application/grpc", "application/PROTO", "application/proto; charset=utf-8"), 6),
  others: fc.oneof({ weight: 4, arbitrary: fc.constant([]) }, { weight: 1, arbitrary: anyOther }),
}).map(({ verb, path, token, changes, scheme, name, twice, type, others }) => {
  const shown = [name, scheme + changed(token, changes)] as const;
  const fields = [...(verb === "GET" || verb === "HEAD" ? [] : [["content-type", type] as const]), ...others, shown, ...(twice ? [shown] : [])];
  return { verb, path, query: verb === "GET" ? "connect=v1&encoding=proto&message=" : "", fields };
});
