import { by, forge, type Sign, text } from "../e2e/attacks/forge.ts";
import { claimsOf, headerIssuer, headOf, issuer, keys, type Mutant, now, otherIssuer, type Owner } from "./mutants.ts";

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

const send = (path: string, ...shown: readonly (readonly [name: string, value: string])[]): Mutant => ({ verb: "POST", path, query: "", fields: [["content-type", "application/proto"], ...shown] });
const call = (service: string, token: string): Mutant => send(`/t.${service}/Get`, ["authorization", `Bearer ${token}`]);

/** A member that is undefined is left out. */
function shown({ owner = "ec", service = owner === "other" ? "Other" : "Main", header = {}, claims = {}, sign = by(keys[owner]) }: Shown): Mutant {
  return call(service, forge({ ...headOf(owner), ...header }, { ...claimsOf(owner), ...claims }, sign));
}

function tokenIn({ fields }: Mutant): string {
  return fields[1]![1].slice("Bearer ".length);
}

/** Texts that are nearly this one: that begin it, end it, or go on from it, in another case, with blanks, or another spelling. */
function near(wanted: string): string[] {
  const changed = [wanted.toUpperCase(), wanted[0]!.toUpperCase() + wanted.slice(1), wanted.replace(/[aeio]/, (vowel) => ({ a: "\u0430", e: "\u0435", i: "\u0456", o: "\u043e" })[vowel]!), wanted.normalize("NFD").replace(/.$/, "$&\u0301")];
  const around = ["/", ".", " ", "\t", "\n", "\0", "*", ",", "s", ":", "%20", "\u200b"].flatMap((more) => [wanted + more, more + wanted]);
  return ["", "*", ".*", wanted.slice(0, -1), wanted.slice(1), wanted + wanted, `${wanted}.sub`, `over.${wanted}`, encodeURIComponent(wanted[0]!).replace(/^./, (letter) => `%${letter.charCodeAt(0).toString(16)}`) + wanted.slice(1), ...changed, ...around].filter((one) => one !== wanted);
}

const alone = (values: readonly unknown[]) => values.flatMap((value) => [value, [value], ["x", value]]);
const noTexts = [undefined, null, true, 0, {}, [], [[]]];

const scopes = [...alone(near("write")), "read,write", "read\twrite", "read;write", "read+write", "read write/", ["read write"], [["write"]], { write: true }, ...noTexts];
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
  const [head = "", body = "", signature = ""] = tokenIn(good).split(".");
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

/** Good tokens and bad ones in both of the places where tokens may stand. */
const beside = ["Main", "Header"].flatMap((service) => {
  const claims = { iss: headerIssuer };
  const [good, bad] = [tokenIn(shown({})), tokenIn(shown({ claims: { sub: "root" }, sign: by(keys.stranger) }))];
  const [goodHere, badHere, elsewhere] = [tokenIn(shown({ owner: "other", claims })), tokenIn(shown({ owner: "other", claims, sign: by(keys.stranger) })), tokenIn(shown({ owner: "other" }))];
  const both = [[good, goodHere], [good, badHere], [bad, goodHere], [bad, badHere], [good, elsewhere], [good, good], [goodHere, goodHere], [good, ""], ["", goodHere]] as const;
  return both.map(([token, here]) => send(`/t.${service}/Get`, ["authorization", `Bearer ${token}`], ["x-token", here]));
});

/** What a requirement asks, in the token of another provider than the one whom it asks of. */
const lent = ([["Scoped", { scope: "read" }], ["Role", { role: "user" }]] as const).map(([service, claims]) =>
  send(`/t.${service}/Get`, ["authorization", `Bearer ${tokenIn(shown({ claims }))}`], ["x-token", tokenIn(shown({ owner: "other", claims: { iss: headerIssuer } }))]));

const schemes = [...near("Bearer"), "Digest", "xBearer", "Bearer Bearer", "Bearer Digest"].filter((scheme) => /^[\t\x20-\x7e]*$/.test(scheme));
const heads = schemes.flatMap((scheme) => [" ", "", "  ", "\t"].map((blank) => send("/t.Main/Get", ["authorization", `${scheme}${blank}${tokenIn(shown({}))}`])));

/** Names of methods that nobody named, as they are near to one that everybody may call. */
const paths = [...near("Public").map((name) => `/t.${name}/Get`), ...near("Get").map((name) => `/t.Public/${name}`), ...near("t").map((name) => `/${name}.Public/Get`)].filter((path) => /^[\x21-\x7e]*$/.test(path));
const unnamed = paths.flatMap((path) => [send(path), send(path, ["authorization", `Bearer ${tokenIn(shown({}))}`])]);

export const nearMisses: readonly Mutant[] = [
  ...unvouched,
  ...beside,
  ...lent,
  shown({ header: { kid: keys.apart.kid }, sign: by(keys.apart) }),
  ...heads,
  ...unnamed,
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
