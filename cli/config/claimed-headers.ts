import type { TokenSource } from "../../gen/fairlead/config/v1/auth_pb.js";
import type { Config } from "../../gen/fairlead/config/v1/config_pb.js";
import { apiKeyHeader } from "./compile-auth.ts";
import type { Path } from "./issue.ts";

/** A header that the config gives a meaning to beside routing. */
export interface ClaimedHeader {
  readonly header: string;
  readonly use: "token" | "api-key" | "certificate" | "place" | "identity" | "authorizer";
  readonly path: Path;
  /** Whose it is, in words. */
  readonly whose: string;
  /** The path points at a key. */
  readonly key?: boolean;
}

/** The claimed headers that are taken out before a route is looked for: keys, what origins are told, and tokens that do not go on. */
export function takenOut(config: Config): ClaimedHeader[] {
  const { providers = {}, identity } = config.auth ?? {};
  const mints = identity?.mint !== undefined;
  const goesOn = (header: string) => !mints && Object.values(providers).some(({ issuer, token, strip }) => issuer !== "" && !strip && tokenHeader(token) === header);
  const stands = mints || Object.values(providers).some(({ issuer, token }) => issuer !== "" && tokenHeader(token) === "authorization");
  const authorization: ClaimedHeader = { header: "authorization", use: "token", path: [], whose: mints ? "where the minted token goes" : "where tokens are that do not go on" };
  return [...claimedHeaders(config), ...(stands ? [authorization] : [])].filter(({ use, header }) => use !== "place" && (use !== "token" || !goesOn(header)));
}

/** "" for a cookie. */
function tokenHeader(token: TokenSource | undefined): string {
  return token?.from.case === "cookie" ? "" : token?.from.value ?? "authorization";
}

/** What is said of a header that is looked for and taken out. */
export function unseen({ header, whose }: ClaimedHeader): string {
  return `must be a header that callers may set: ${header} is ${whose}, and taken out first`;
}

/** The claimed headers, one for each header and use: several providers may look in one place. */
export function claimedHeaders({ auth, placeHeaders }: Config): ClaimedHeader[] {
  const claimed: ClaimedHeader[] = [];
  const claim = (one: ClaimedHeader) => {
    const isThere = one.use !== "identity" && claimed.some(({ header, use }) => header === one.header && use === one.use);
    if (one.header !== "" && !isThere) claimed.push(one);
  };
  for (const [name, { token, apiKeys, clientCertificates }] of Object.entries(auth?.providers ?? {})) {
    const path = ["auth", "providers", name];
    const whose = `where provider "${name}" looks`;
    if (token?.from.case === "header" && token.from.value !== "authorization") claim({ header: token.from.value, use: "token", path: [...path, "token", "header"], whose });
    if (apiKeys !== undefined) claim({ header: apiKeyHeader(apiKeys.header), use: "api-key", path: [...path, "api_keys", "header"], whose });
    if (clientCertificates !== undefined) claim({ header: clientCertificates.trustedHeader, use: "certificate", path: [...path, "client_certificates", "trusted_header"], whose });
  }
  const { latitude = "", longitude = "", country = "", continent = "" } = placeHeaders ?? {};
  for (const header of [latitude, longitude, country, continent]) claim({ header, use: "place", path: ["place_headers"], whose: "a place header" });
  const { claimsHeader = "", claimHeaders = {}, providerHeader = "" } = auth?.identity ?? {};
  claim({ header: claimsHeader, use: "identity", path: ["auth", "identity", "claims_header"], whose: "auth.identity.claims_header" });
  claim({ header: providerHeader, use: "identity", path: ["auth", "identity", "provider_header"], whose: "auth.identity.provider_header" });
  for (const header of Object.keys(claimHeaders)) claim({ header, use: "identity", path: ["auth", "identity", "claim_headers", header], whose: "in auth.identity.claim_headers", key: true });
  for (const [name, { headers }] of Object.entries(auth?.authorizers ?? {})) {
    for (const [i, header] of headers.entries()) claim({ header, use: "authorizer", path: ["auth", "authorizers", name, "headers", i], whose: `what authorizer "${name}" sets` });
  }
  return claimed;
}
