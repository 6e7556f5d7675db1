import { mintedClaims } from "../../worker/core/auth/claims.ts";
import { isMetadata } from "../../worker/core/protocol/metadata.ts";
import type { Checking } from "./checking.ts";
import { isClaim, noClaim } from "./check-requirements.ts";
import { type ClaimedHeader, claimedHeaders } from "./claimed-headers.ts";
import { claimPath } from "./compile-auth.ts";

/** Reports headers that are claimed twice, or that identity cannot have, and claims that a minted token cannot repeat. */
export function checkIdentity(checking: Checking): void {
  const { config, tree, report } = checking;
  const claims = claimedHeaders(config);
  for (const [i, { header, path, key = false }] of claims.entries()) {
    const other = claims.slice(0, i).find((one) => one.header === header);
    if (other !== undefined) report.of(tree, path, `must be a header of its own: ${header} is ${other.whose} already`, { key });
  }
  for (const { header, path, key = false } of claims.filter(isTold)) {
    if (["authorization", "cookie"].includes(header) || !isMetadata(header)) report.of(tree, path, `must not be ${header}: ${header === "authorization" ? "the token itself stands there" : "HTTP, the RPC protocols or the proxy own it"}`, { key });
  }
  checkRoutesLook(claims, checking);
  const { claimHeaders = {}, mint } = config.auth!.identity ?? {};
  for (const [header, claim] of Object.entries(claimHeaders)) {
    if (!isClaim(claim)) report.of(tree, ["auth", "identity", "claim_headers", header], noClaim(claim));
  }
  for (const [i, claim] of (mint?.claims ?? []).entries()) {
    const path = ["auth", "identity", "mint", "claims", i];
    if (!isClaim(claim)) report.of(tree, path, noClaim(claim));
    else if (mintedClaims.includes(claimPath(claim)[0]!)) report.of(tree, path, `must not be one of ${mintedClaims.join(", ")}: the proxy's token has its own. Current value is "${claim}"`);
  }
}

/** Whether an origin is told of a call in this header, by the proxy alone. */
function isTold({ use }: ClaimedHeader): boolean {
  return use === "identity" || use === "authorizer";
}

/** Routes are found before anybody knows who calls, and by what callers send; keys and what origins are told are out of that by then. Stickiness comes after, so it may hold by what they are told. */
function checkRoutesLook(claims: readonly ClaimedHeader[], { config, tree, report }: Checking): void {
  const takenOut = (name: string) => claims.find(({ header, use }) => header === name && use !== "token" && use !== "place");
  const unseen = ({ header, whose }: ClaimedHeader) => `must be a header that callers may set: ${header} is ${whose}, and taken out first`;
  for (const [i, { match, sticky, requestHeaders }] of config.routes.entries()) {
    for (const [j, { name }] of (match?.metadata ?? []).entries()) {
      const claim = takenOut(name);
      if (claim !== undefined) report.of(tree, ["routes", i, "match", "metadata", j, "name"], unseen(claim));
    }
    const held = sticky?.key.case === "header" ? takenOut(sticky.key.value) : undefined;
    if (held !== undefined && !isTold(held)) report.of(tree, ["routes", i, "sticky", "header"], unseen(held));
    for (const name of Object.keys(requestHeaders?.set ?? {})) {
      const told = claims.find((claim) => claim.header === name && isTold(claim));
      if (told !== undefined) report.of(tree, ["routes", i, "request_headers", "set", name], `must not name ${name}: ${told.use === "identity" ? "auth.identity says who calls in it" : `it is ${told.whose}`}`, { key: true });
    }
  }
  for (const [name, { metadata }] of Object.entries(config.auth!.authorizers)) {
    for (const [i, header] of metadata.entries()) {
      const claim = takenOut(header);
      if (claim !== undefined) report.of(tree, ["auth", "authorizers", name, "metadata", i], unseen(claim));
    }
  }
}
