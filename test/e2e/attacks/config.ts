import { apiKey, audience, certificate, issuers, keys, sha256 } from "./parties.ts";
import { badSets } from "./key-server.ts";

export const page = "https://app.example";

interface Places {
  readonly origin: string;
  readonly keyServer: string;
  readonly authorizer: string;
  /** Where nobody listens. */
  readonly nowhere: string;
}

interface ServicePolicy {
  readonly service: string;
  /** A rule without its match; undefined where no rule names the service. */
  readonly rule: string | undefined;
}

/** Services whose provider has a bad key set. */
export const badServices = Object.keys(badSets).map((name, i) => ({ name, service: `guard.v1.Bad${i}`, provider: `bad-${i}`, issuer: `https://bad-${i}.id.example` }));

const policies: readonly ServicePolicy[] = [
  { service: "guard.v1.Main", rule: "require: { provider: main }" },
  { service: "guard.v1.Scoped", rule: "require: { provider: main, scopes: [write] }" },
  { service: "guard.v1.Role", rule: "require: { provider: main, claims: { role: { values: [admin] } } }" },
  { service: "guard.v1.Org", rule: "require: { provider: main, claims: { org.id: { values: ['7'] } } }" },
  { service: "guard.v1.Cel", rule: "require: { provider: main, condition: \"claims.tenant == metadata['x-tenant']\" }" },
  { service: "guard.v1.Strict", rule: "require: { provider: strict }" },
  { service: "guard.v1.Rotating", rule: "require: { provider: rotating }" },
  { service: "guard.v1.Other", rule: "require: { provider: other }" },
  { service: "guard.v1.Many", rule: "require: { provider: many }" },
  { service: "guard.v1.Header", rule: "require: { provider: header }" },
  { service: "guard.v1.Cookie", rule: "require: { provider: cookie }" },
  { service: "guard.v1.Key", rule: "require: { provider: keys, scopes: [read] }" },
  { service: "guard.v1.Certificate", rule: "require: { provider: devices }" },
  { service: "guard.v1.Front", rule: "require: { provider: front }" },
  { service: "guard.v1.Asked", rule: "require: { provider: main }, authorizer: says" },
  { service: "guard.v1.AskedOpen", rule: "require: { provider: main }, authorizer: says-open" },
  { service: "guard.v1.AskedDown", rule: "require: { provider: main }, authorizer: down" },
  { service: "guard.v1.AskedDownOpen", rule: "require: { provider: main }, authorizer: down-open" },
  { service: "guard.v1.Limited", rule: "require: { provider: main }, rate_limits: [few]" },
  { service: "guard.v1.Public", rule: "allow: PUBLIC" },
  { service: "guard.v1.Unruled", rule: undefined },
  ...badServices.map(({ service, provider }) => ({ service, rule: `require: { provider: ${provider} }` })),
];

/** The config that all attacks are tried on: each service has a policy of its own, and one route takes whatever looks like a method. */
export function config({ origin, keyServer, authorizer, nowhere }: Places): string {
  const jwt = (name: string, iss: string, more: string) => `    ${name}: { issuer: "${iss}", audiences: ["${audience}"], ${more} }`;
  const inline = (...set: readonly object[]) => `jwks: '${JSON.stringify({ keys: set })}'`;
  const cluster = (dialect: string, url: string) => `{ dialect: ${dialect}, codecs: [PROTO, JSON], localities: [{ region: here, endpoints: [{ url: "${url}" }] }] }`;
  return `
methods:
${policies.map(({ service }) => `  - { path: /${service}/Get, kind: UNARY, idempotency: NO_SIDE_EFFECTS }\n  - { path: /${service}/Watch, kind: SERVER_STREAM }`).join("\n")}
clusters:
  origin: ${cluster("GRPC_WEB", origin)}
  authorizer: ${cluster("CONNECT", authorizer)}
  nobody: ${cluster("CONNECT", nowhere)}
routes:
  - { match: { prefix: / }, cluster: origin }
  - { match: { prefix: /, base_path: /api }, cluster: origin }
cors: { allowed_origins: ["${page}"], allow_credentials: true }
explain: { secret: EXPLAIN }
auth:
  providers:
${[
    jwt("main", issuers.main.iss, `algorithms: [RS256], jwks_uri: "${keyServer}/main"`),
    jwt("strict", issuers.strict.iss, `algorithms: [RS256], clock_skew: 0s, ${inline(keys.main.jwk)}`),
    jwt("rotating", "https://rotating.id.example", `algorithms: [RS256], jwks_uri: "${keyServer}/rotating"`),
    jwt("other", issuers.other.iss, `algorithms: [RS256], ${inline(keys.other.jwk)}`),
    jwt("many", issuers.many.iss, `algorithms: [PS256, ES256, EDDSA], ${inline({ ...keys.pss.jwk, alg: undefined }, keys.ec.jwk, keys.ed.jwk)}`),
    jwt("header", issuers.header.iss, `algorithms: [RS256], token: { header: x-token }, ${inline(keys.main.jwk)}`),
    jwt("cookie", issuers.cookie.iss, `algorithms: [RS256], token: { cookie: session }, ${inline(keys.main.jwk)}`),
    ...badServices.map(({ name, provider, issuer }) => jwt(provider, issuer, `algorithms: [RS256], jwks_uri: "${keyServer}/bad/${name}"`)),
  ].join("\n")}
    keys: { api_keys: { stored: true, keys: [{ name: robot, sha256: ${sha256(apiKey.config)}, scopes: [read] }] } }
    devices: { client_certificates: { allowed: [{ name: device, sha256: ${certificate.hash} }] } }
    front: { client_certificates: { trusted_header: x-front-cert, allowed: [{ name: device, sha256: ${certificate.hash} }] } }
  rules:
${policies.flatMap(({ service, rule }) => (rule === undefined ? [] : [`    - { match: { service: ${service} }, ${rule} }`])).join("\n")}
  identity: { claims_header: x-claims, claim_headers: { x-user-id: sub, x-tenant-id: tenant } }
  authorizers:
    says: { cluster: authorizer, timeout: 300ms, metadata: [x-want] }
    says-open: { cluster: authorizer, timeout: 300ms, fail_open: true, metadata: [x-want] }
    down: { cluster: nobody, timeout: 300ms }
    down-open: { cluster: nobody, timeout: 300ms, fail_open: true }
  rate_limits: { few: { per: PRINCIPAL, calls: 2, period: 600s } }
`;
}
