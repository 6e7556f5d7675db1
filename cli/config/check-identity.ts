import { isMetadata } from "../../worker/core/protocol/metadata.ts";
import type { Checking } from "./checking.ts";
import { isClaim } from "./check-requirements.ts";
import { apiKeyHeader } from "./compile-auth.ts";
import type { Path } from "./issue.ts";

interface Claim {
  readonly header: string;
  readonly path: Path;
  /** Whose it is, in words. */
  readonly whose: string;
  /** The path points at a key. */
  readonly key?: boolean;
}

/** Reports headers that are claimed twice, or that identity cannot have, and claims that a minted token cannot repeat. */
export function checkIdentity(checking: Checking): void {
  const { config, tree, report } = checking;
  const claims = headersOf(checking);
  for (const [i, { header, path, key = false }] of claims.entries()) {
    const other = claims.slice(0, i).find((one) => one.header === header);
    if (other !== undefined) report.of(tree, path, `must be a header of its own: ${header} is ${other.whose} already`, { key });
  }
  const identity = claims.filter(({ path }) => path[1] === "identity");
  for (const { header, path, key = false } of identity) {
    if (["authorization", "cookie"].includes(header) || !isMetadata(header)) report.of(tree, path, `must not be ${header}: ${header === "authorization" ? "the token itself stands there" : "HTTP, the RPC protocols or the proxy own it"}`, { key });
  }
  for (const [i, { requestHeaders }] of config.routes.entries()) {
    for (const name of Object.keys(requestHeaders?.set ?? {})) {
      if (identity.some(({ header }) => header === name)) report.of(tree, ["routes", i, "request_headers", "set", name], `must not name ${name}: auth.identity says who calls in it`, { key: true });
    }
  }
  const { claimHeaders = {}, mint } = config.auth!.identity ?? {};
  for (const [header, claim] of Object.entries(claimHeaders)) {
    if (!isClaim(claim)) report.of(tree, ["auth", "identity", "claim_headers", header], `must be a claim's name, with dots between names inside one another: current value is ${JSON.stringify(claim)}`);
  }
  for (const [i, claim] of (mint?.claims ?? []).entries()) {
    if (own.includes(claim)) report.of(tree, ["auth", "identity", "mint", "claims", i], `must not be one of ${own.join(", ")}: the proxy's token has its own. Current value is "${claim}"`);
  }
}

/** Claims of a minted token that the proxy writes. */
const own = ["iss", "sub", "aud", "exp", "nbf", "iat", "jti"];

/** Every header that config gives a meaning to beside routing, in the order in which they are said to be whose. */
function headersOf({ config }: Checking): Claim[] {
  const { providers, identity } = config.auth!;
  const headers: Claim[] = [];
  for (const [name, { token, apiKeys, clientCertificates }] of Object.entries(providers)) {
    const path = ["auth", "providers", name];
    const whose = `where provider "${name}" looks`;
    if (token?.from.case === "header" && token.from.value !== "authorization" && !headers.some(({ header, path }) => header === token.from.value && path.at(-2) === "token")) headers.push({ header: token.from.value, path: [...path, "token", "header"], whose });
    if (apiKeys !== undefined) headers.push({ header: apiKeyHeader(apiKeys.header), path: [...path, "api_keys", "header"], whose });
    if (clientCertificates !== undefined && clientCertificates.trustedHeader !== "") headers.push({ header: clientCertificates.trustedHeader, path: [...path, "client_certificates", "trusted_header"], whose });
  }
  const place = config.placeHeaders;
  for (const header of [place?.latitude, place?.longitude, place?.country, place?.continent]) {
    if (header !== undefined && header !== "" && !headers.some((one) => one.header === header)) headers.push({ header, path: ["place_headers"], whose: "a place header" });
  }
  if (identity !== undefined && identity.claimsHeader !== "") headers.push({ header: identity.claimsHeader, path: ["auth", "identity", "claims_header"], whose: "auth.identity.claims_header" });
  for (const header of Object.keys(identity?.claimHeaders ?? {})) headers.push({ header, path: ["auth", "identity", "claim_headers", header], whose: "in auth.identity.claim_headers", key: true });
  return headers;
}
