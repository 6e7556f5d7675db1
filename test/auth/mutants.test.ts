import fc from "fast-check";
import { createLocalJWKSet, jwtVerify, type JSONWebKeySet, type JWTPayload, type JWTVerifyGetKey } from "jose";
import { describe, expect, it } from "vitest";
import { createProxy, decodeArtifact, type Fields, type Ports, type UpstreamReply } from "../../worker/index.ts";
import { compileText } from "../e2e/harness.ts";
import type { Pair } from "../e2e/attacks/forge.ts";
import { anyMutant, headerIssuer, issuer, keys, type Mutant, now, otherIssuer, services } from "./mutants.ts";
import { nearMisses } from "./near-misses.ts";

/** `ATTACKS=100000` tries so many; `npm run attacks` does. */
const runs = Number(process.env["ATTACKS"] ?? 5000);

const withoutAlg = (jwk: Pair["jwk"]) => ({ ...jwk, alg: undefined });
const sets = { main: { keys: [keys.rsa.jwk, keys.ec.jwk, keys.ed.jwk, withoutAlg(keys.open.jwk)] }, other: { keys: [keys.other.jwk, keys.apart.jwk] } };
const yaml = `
methods:
${services.map((name) => `  - { path: /t.${name}/Get, kind: UNARY, idempotency: NO_SIDE_EFFECTS }`).join("\n")}
clusters: { c: { dialect: CONNECT, codecs: [PROTO, JSON], localities: [{ region: near, endpoints: [{ url: "http://origin.example" }] }] } }
routes: [{ match: { prefix: / }, cluster: c }]
auth:
  providers:
    main: { issuer: "${issuer}", audiences: [api], algorithms: [RS256, ES256, EDDSA], jwks: '${JSON.stringify(sets.main)}' }
    other: { issuer: "${otherIssuer}", audiences: [api], algorithms: [ES256], jwks: '${JSON.stringify(sets.other)}' }
    header: { issuer: "${headerIssuer}", audiences: [api], algorithms: [ES256], jwks: '${JSON.stringify(sets.other)}', token: { header: x-token } }
  rules:
    - { match: { service: t.Header }, require: { provider: header } }
    - { match: { service: t.Main }, require: { provider: main } }
    - { match: { service: t.Scoped }, require: { provider: main, scopes: [write] } }
    - { match: { service: t.Role }, require: { provider: main, claims: { role: { values: [admin] } } } }
    - { match: { service: t.Other }, require: { provider: other } }
    - { match: { service: t.Public }, allow: PUBLIC }
  identity: { claim_headers: { x-user-id: sub } }
`;

const [all, meant, others] = [sets.main, { keys: [keys.rsa.jwk, keys.ec.jwk, keys.ed.jwk] }, sets.other].map((set) => createLocalJWKSet(set as unknown as JSONWebKeySet)) as [Verifier, Verifier, Verifier];
type Verifier = ReturnType<typeof createLocalJWKSet>;
/** Of several keys that fit a token without a kid the proxy takes the one that names its algorithm, where jose takes none. */
const verifiers: Readonly<Record<Provider, JWTVerifyGetKey>> = { main: (header, token) => (header.kid === undefined ? meant : all)(header, token), other: others, header: others };
const expected = { main: { issuer, algorithms: ["RS256", "ES256", "EdDSA"] }, other: { issuer: otherIssuer, algorithms: ["ES256"] }, header: { issuer: headerIssuer, algorithms: ["ES256"] } };
type Provider = keyof typeof expected;

/** What jose says of a token: its claims, or undefined where it does not let it through, or where the proxy must be stricter. */
async function verified(provider: Provider, token: string): Promise<JWTPayload | undefined> {
  try {
    const { payload, protectedHeader } = await jwtVerify(token, verifiers[provider], { ...expected[provider], audience: "api", clockTolerance: 30, requiredClaims: ["exp"], currentDate: new Date(now * 1000) });
    const isKnown = protectedHeader.typ === undefined || ["jwt", "at+jwt", "application/jwt", "application/at+jwt", "jose"].includes(protectedHeader.typ.toLowerCase());
    const isNow = payload.iat === undefined || (typeof payload.iat === "number" && payload.iat <= now + 30);
    const isPlain = ["b64", "crit", "enc", "zip", "cty"].every((name) => !Object.hasOwn(protectedHeader, name));
    const isDated = payload.exp! < Date.UTC(10_000, 0) / 1000;
    const isWhole = [payload.aud].flat().every((one) => typeof one === "string");
    return isKnown && isNow && isPlain && isDated && isWhole ? payload : undefined;
  } catch {
    return undefined;
  }
}

/** The table of policies, written down once more: whether somebody with these claims may call a service. */
const policies: Readonly<Record<string, { readonly provider: Provider; readonly meets: (claims: JWTPayload) => boolean } | "public">> = {
  Main: { provider: "main", meets: () => true },
  Scoped: { provider: "main", meets: ({ scope, scp }) => scopesIn(scope ?? scp).includes("write") },
  Role: { provider: "main", meets: ({ role }) => [role].flat().includes("admin") },
  Other: { provider: "other", meets: () => true },
  Header: { provider: "header", meets: () => true },
  Public: "public",
};

function scopesIn(said: unknown): unknown[] {
  return typeof said === "string" ? said.split(" ") : Array.isArray(said) ? said : [];
}

/** Who a request may be made by, as the oracle has it: a subject, "" for anybody; undefined where it must not pass. */
async function oracle({ verb, path, fields }: Mutant): Promise<string | undefined> {
  const service = /^\/t\.([A-Za-z]+)\/[A-Za-z_]\w*(?:\?.*)?$/.exec(path)?.[1] ?? "";
  const policy = Object.hasOwn(policies, service) ? policies[service] : undefined;
  if (policy === undefined || !["POST", "GET"].includes(verb)) return undefined;
  if (policy === "public") return "";
  const claims: Partial<Record<Provider, JWTPayload>> = {};
  for (const [name, providers] of [["authorization", ["main", "other"]], ["x-token", ["header"]]] as const) {
    const values = fields.filter((field) => field[0].toLowerCase() === name).map(([, value]) => value.replaceAll(/^[\t ]+|[\t ]+$/g, ""));
    if (values.length === 0) continue;
    const token = values.length > 1 ? "" : name === "x-token" ? values[0]! : (/^bearer (\S+)$/i.exec(values[0]!)?.[1] ?? "");
    const found = await Promise.all(providers.map(async (provider) => [provider, await verified(provider, token)] as const));
    // Whatever is shown must be good.
    if (found.every(([, said]) => said === undefined)) return undefined;
    for (const [provider, said] of found) if (said !== undefined) claims[provider] = said;
  }
  const own = claims[policy.provider];
  return own !== undefined && policy.meets(own) ? (own.sub ?? "") : undefined;
}

function good(): UpstreamReply {
  const response = new Response("x", { headers: { "content-type": "application/proto", "content-length": "1" } });
  return { status: 200, headers: response.headers, source: response as UpstreamReply["source"], trailers: null, broken: { kind: "transport", reached: "maybe", cause: "broken" } };
}

async function world() {
  const { config } = await decodeArtifact(await compileText(yaml));
  const defects: string[] = [];
  let reached: Fields | undefined;
  const ports: Ports = {
    transport: async ({ headers }) => {
      reached = headers;
      return good();
    },
    now: () => now * 1000,
    after: (ms, then) => {
      const timer = setTimeout(then, ms);
      return () => clearTimeout(timer);
    },
    endsWithReply: false,
    random: () => 0.5,
    secret: () => undefined,
    fetch: () => Promise.resolve({ failure: "nothing can be fetched" }),
    limiter: () => undefined,
    tally: null,
    store: null,
    board: null,
    log: ({ event, error }) => void (event === "defect" && defects.push(String(error))),
  };
  const proxy = createProxy({ config, ports });
  return {
    defects,
    /** The headers with which the origin was called, or undefined where it was not. */
    async send({ verb, path, query, fields }: Mutant): Promise<Fields | undefined> {
      reached = undefined;
      const headers = new Headers();
      for (const [name, value] of fields) headers.append(name, value);
      const request = new Request("http://p.example/", { method: verb, headers, ...(verb === "GET" || verb === "HEAD" ? {} : { body: "" }) });
      // Runtimes give the URL as it came; what makes a Request here would tidy it up.
      Object.defineProperty(request, "url", { value: `http://p.example${path}${query === "" ? "" : `${path.includes("?") ? "&" : "?"}${query}`}` });
      const response = await proxy.fetch(request, { keep: () => {}, clientAddress: () => null, place: () => null, clientCertificate: () => null, left: () => null });
      await response.arrayBuffer();
      return reached;
    },
  };
}

describe("of mutated tokens and heads", () => {
  it(`none of ${runs} reaches an origin that jose and the table of policies would not let through`, { timeout: 600_000 }, async () => {
    const { send, defects } = await world();
    const count = { reached: 0, withToken: 0, allowed: 0 };
    await fc.assert(
      fc.asyncProperty(anyMutant, async (mutant) => {
        const [reached, subject] = [await send(mutant), await oracle(mutant)];
        if (subject !== undefined) count.allowed++;
        if (reached === undefined) return;
        count.reached++;
        if (subject !== "") count.withToken++;
        expect(subject, "an origin was reached").toBeDefined();
        const told = reached.get("x-user-id");
        expect(told === null || told === subject).toBe(true);
      }),
      { numRuns: runs, seed: 20261124, examples: nearMisses.map((one): [Mutant] => [one]), endOnFailure: false },
    );
    expect(defects).toEqual([]);
    // Where nothing passed, nothing would have been shown.
    expect(count.withToken / runs).toBeGreaterThan(0.08);
    expect(count.reached).toBeLessThanOrEqual(count.allowed);
    expect(count.reached / count.allowed).toBeGreaterThan(0.7);
    if (process.env["ATTACKS"] !== undefined) console.log(`${runs} mutants: ${count.reached} reached the origin, ${count.withToken} of them by a token; jose and the table would have let ${count.allowed} through`);
  });
});
