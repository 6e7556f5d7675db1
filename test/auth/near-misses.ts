import { by, forge, type Sign, text } from "../e2e/attacks/forge.ts";
import { claimsOf, headOf, issuer, keys, type Mutant, now, otherIssuer, type Owner } from "./mutants.ts";

/**
 * Tokens that are good but for one thing that a rule compares, and in that as near as can be: whatever loosens a comparison lets one of
 * them through. Before those that only differ from a good token by what vouches for them comes that token, which may be remembered.
 */

interface Shown {
  readonly owner?: Owner;
  readonly service?: string;
  readonly header?: Record<string, unknown>;
  readonly claims?: Record<string, unknown>;
  /** Default: the owner. */
  readonly sign?: Sign;
}

const call = (service: string, token: string): Mutant => ({ verb: "POST", path: `/t.${service}/Get`, query: "", fields: [["content-type", "application/proto"], ["authorization", `Bearer ${token}`]] });

/** A member that is undefined is left out. */
function shown({ owner = "ec", service = owner === "other" ? "Other" : "Main", header = {}, claims = {}, sign = by(keys[owner]) }: Shown): Mutant {
  return call(service, forge({ ...headOf(owner), ...header }, { ...claimsOf(owner), ...claims }, sign));
}

/** Texts that are nearly this one: that begin it, end it, or go on from it, in another case, with blanks, or another spelling. */
function near(wanted: string): string[] {
  const changed = [wanted.toUpperCase(), wanted[0]!.toUpperCase() + wanted.slice(1), wanted.replace(/[aeio]/, (vowel) => ({ a: "\u0430", e: "\u0435", i: "\u0456", o: "\u043e" })[vowel]!), wanted.normalize("NFD").replace(/.$/, "$&\u0301")];
  const around = ["/", ".", " ", "\t", "\n", "\0", "*", ",", "s", ":", "%20", "\u200b"].flatMap((more) => [wanted + more, more + wanted]);
  return ["", "*", ".*", wanted.slice(0, -1), wanted.slice(1), wanted + wanted, `${wanted}.sub`, `over.${wanted}`, encodeURIComponent(wanted[0]!).replace(/^./, (letter) => `%${letter.charCodeAt(0).toString(16)}`) + wanted.slice(1), ...changed, ...around].filter((one) => one !== wanted);
}

const alone = (values: readonly unknown[]) => values.flatMap((value) => [value, [value], ["x", value]]);
const noTexts = [undefined, null, true, 0, {}, [], [[]]];

const scopes = [...alone(near("write").filter((one) => one.trim() !== "write")), "read,write", "read\twrite", "read;write", "read+write", "read write/", ["read write"], [["write"]], { write: true }, ...noTexts];
const roles = [...alone(near("admin")), [["admin"]], { admin: true }, "user admin", ...noTexts];
const audiences = [...alone(near("api")), ["api", 1], [["api"]], { api: true }, "api x", ...noTexts];
const issuers = [...near(issuer), "main.example", "http://main.example", "https://MAIN.example", "https://main.example:443", "https://main.example//", "https://main.example/.", "https://main.example?", "https://main.example#", "https://x@main.example", [issuer], ...noTexts];

const past = [30, 30.5, 31, 45, 59, 60, 61, 90, 600, 3600, 86_400];
const expiries = [...past.map((ago) => now - ago), 0, -1, String(now + 600), (now + 600) * 1000, [now + 600], ...noTexts];
const futures = [...past.filter((ahead) => ahead > 30).map((ahead) => now + ahead), String(now - 600), [now - 600], null, true, {}];

const types = ["JWE", "dpop+jwt", "logout+jwt", "secevent+jwt", "x+jwt", "at+jwt+x", "jwt ", "", null, 1, ["JWT"]];
const extensions: readonly Record<string, unknown>[] = [{ crit: ["exp"], exp: now + 600 }, { crit: ["b64"], b64: true }, { crit: [] }, { b64: false }, { zip: "DEF" }, { enc: "A128GCM" }, { cty: "JWT" }];

/** What a key signed that does not say by which algorithm it may be used: as it was allowed, and as it was not. */
const algorithms = ["RS384", "RS512", "PS256", "PS384", "PS512"].map((alg) => shown({ owner: "open", header: { alg }, sign: by(keys.open, alg) }));

const owners: readonly Owner[] = ["rsa", "ec", "ed", "open", "other"];
const elsewhere = { rsa: "strange", ec: "stranger", ed: "other", open: "strange", other: "stranger" } as const;

/** Not vouched for, but with the head, the kid or the claims of a token that was. */
const unvouched = owners.flatMap((owner) => {
  const good = shown({ owner });
  const token = good.fields[1]![1].slice("Bearer ".length);
  const [head = "", body = "", signature = ""] = token.split(".");
  const claims = { ...claimsOf(owner), sub: "root" };
  const of = (changed: string) => call(owner === "other" ? "Other" : "Main", changed);
  const turned = signature.replace(/^./, (first) => (first === "A" ? "B" : "A"));
  return [
    good,
    shown({ owner, sign: by(keys[elsewhere[owner]], keys[elsewhere[owner]].alg) }),
    shown({ owner, sign: text("") }),
    shown({ owner, sign: text("AA") }),
    of(`${head}.${body}.${turned}`),
    of(`${head}.${Buffer.from(JSON.stringify(claims)).toString("base64url")}.${signature}`),
    shown({ owner, header: { kid: `${keys[owner].kid}x` } }),
    shown({ owner, header: { kid: keys[owner].kid.toUpperCase() } }),
    shown({ owner, header: { kid: "nobody" }, claims: { sub: "root" }, sign: by(keys[elsewhere[owner]]) }),
    shown({ owner, claims: { sub: "root", exp: now + 6000 }, sign: by(keys[elsewhere[owner]]) }),
    // Another service's caller, who is known by now.
    shown({ owner, service: owner === "other" ? "Main" : "Other" }),
    shown({ owner, claims: { iss: owner === "other" ? issuer : otherIssuer } }),
  ];
});

export const nearMisses: readonly Mutant[] = [
  ...unvouched,
  ...scopes.map((scope) => shown({ service: "Scoped", claims: { scope } })),
  ...scopes.map((scp) => shown({ service: "Scoped", claims: { scope: undefined, scp } })),
  ...roles.map((role) => shown({ service: "Role", claims: { role } })),
  shown({ service: "Role", claims: { role: undefined, Role: "admin", roles: ["admin"], "__proto__": { role: "admin" } } }),
  ...audiences.map((aud) => shown({ claims: { aud } })),
  ...issuers.map((iss) => shown({ claims: { iss } })),
  ...expiries.map((exp) => shown({ claims: { exp } })),
  ...futures.flatMap((date) => [shown({ claims: { nbf: date } }), shown({ claims: { iat: date } })]),
  ...types.map((typ) => shown({ header: { typ } })),
  ...extensions.map((header) => shown({ header })),
  ...algorithms,
];
