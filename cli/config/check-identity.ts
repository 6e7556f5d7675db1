import { isMetadata } from "../../worker/core/protocol/metadata.ts";
import type { Checking } from "./checking.ts";
import { isClaim } from "./check-requirements.ts";
import { type ClaimedHeader, claimedHeaders } from "./claimed-headers.ts";

/** Reports headers that are claimed twice, or that identity cannot have, and claims that a minted token cannot repeat. */
export function checkIdentity(checking: Checking): void {
  const { config, tree, report } = checking;
  const claims = claimedHeaders(config);
  for (const [i, { header, path, key = false }] of claims.entries()) {
    const other = claims.slice(0, i).find((one) => one.header === header);
    if (other !== undefined) report.of(tree, path, `must be a header of its own: ${header} is ${other.whose} already`, { key });
  }
  const identity = claims.filter(({ use }) => use === "identity");
  for (const { header, path, key = false } of identity) {
    if (["authorization", "cookie"].includes(header) || !isMetadata(header)) report.of(tree, path, `must not be ${header}: ${header === "authorization" ? "the token itself stands there" : "HTTP, the RPC protocols or the proxy own it"}`, { key });
  }
  checkRoutesLook(claims, checking);
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

/** Routes are found before anybody knows who calls, and by what callers send; keys and identity are out of that by then. Stickiness comes after, so it may hold by identity. */
function checkRoutesLook(claims: readonly ClaimedHeader[], { config, tree, report }: Checking): void {
  const takenOut = (name: string) => claims.find(({ header, use }) => header === name && use !== "token" && use !== "place");
  const unseen = ({ header, whose }: ClaimedHeader) => `must be a header that callers may set: ${header} is ${whose}, and taken out first`;
  for (const [i, { match, sticky, requestHeaders }] of config.routes.entries()) {
    for (const [j, { name }] of (match?.metadata ?? []).entries()) {
      const claim = takenOut(name);
      if (claim !== undefined) report.of(tree, ["routes", i, "match", "metadata", j, "name"], unseen(claim));
    }
    const held = sticky?.key.case === "header" ? takenOut(sticky.key.value) : undefined;
    if (held !== undefined && held.use !== "identity") report.of(tree, ["routes", i, "sticky", "header"], unseen(held));
    for (const name of Object.keys(requestHeaders?.set ?? {})) {
      if (takenOut(name)?.use === "identity") report.of(tree, ["routes", i, "request_headers", "set", name], `must not name ${name}: auth.identity says who calls in it`, { key: true });
    }
  }
  for (const [name, { metadata }] of Object.entries(config.auth!.authorizers)) {
    for (const [i, header] of metadata.entries()) {
      const claim = takenOut(header);
      if (claim !== undefined) report.of(tree, ["auth", "authorizers", name, "metadata", i], unseen(claim));
    }
  }
}
