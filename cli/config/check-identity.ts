import { mintedClaims } from "../../worker/core/auth/claims.ts";
import { isMetadata } from "../../worker/core/protocol/metadata.ts";
import type { Checking } from "./checking.ts";
import { isClaim, noClaim } from "./check-requirements.ts";
import { type ClaimedHeader, claimedHeaders, takenOut, unseen } from "./claimed-headers.ts";
import { claimPath, requirementsOf } from "./compile-auth.ts";

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
  checkVouched(checking);
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

/** A subject is one provider's: where several may vouch, an origin that hears of it alone takes one caller for another. */
function checkVouched({ config, tree, report }: Checking): void {
  const { claimHeaders = {}, providerHeader = "", mint } = config.auth!.identity ?? {};
  const header = Object.keys(claimHeaders).find((name) => claimHeaders[name] === "sub");
  if (header === undefined || providerHeader !== "" || mint !== undefined) return;
  for (const [i, rule] of config.auth!.rules.entries()) {
    const admitted = [...new Set(requirementsOf(rule).map(({ provider }) => provider))];
    if (admitted.length > 1) return report.of(tree, ["auth", "identity", "claim_headers", header], `does not tell whose subject it is, and rules[${i}] admits those of ${admitted.join(", ")}: provider_header or mint tells`, { severity: "warning" });
  }
}

/** Whether an origin is told of a call in this header, by the proxy alone. */
function isTold({ use }: ClaimedHeader): boolean {
  return use === "identity" || use === "authorizer";
}

/** Routes are found before anybody knows who calls, and by what callers send; keys and what origins are told are out of that by then. Stickiness comes after, so it may hold by what they are told. */
function checkRoutesLook(claims: readonly ClaimedHeader[], { config, tree, report }: Checking): void {
  const out = takenOut(config);
  const taken = (name: string) => out.find(({ header }) => header === name);
  for (const [i, { match, sticky, requestHeaders }] of config.routes.entries()) {
    for (const [j, { name }] of (match?.metadata ?? []).entries()) {
      const claim = taken(name);
      if (claim !== undefined) report.of(tree, ["routes", i, "match", "metadata", j, "name"], unseen(claim));
    }
    const held = sticky?.key.case === "header" ? taken(sticky.key.value) : undefined;
    if (held !== undefined && !isTold(held)) report.of(tree, ["routes", i, "sticky", "header"], unseen(held));
    const changed = [...Object.keys(requestHeaders?.set ?? {}).map((name) => ["set", name, name] as const), ...(requestHeaders?.remove ?? []).map((name, j) => ["remove", name, j] as const)];
    for (const [how, name, key] of changed) {
      const told = claims.find((claim) => claim.header === name && isTold(claim));
      const says = name === "authorization" && config.auth!.identity?.mint !== undefined ? "auth.identity.mint puts its token there" : told?.use === "identity" ? "auth.identity says who calls in it" : told && `it is ${told.whose}`;
      if (says !== undefined) report.of(tree, ["routes", i, "request_headers", how, key], `must not name ${name}: ${says}`, { key: how === "set" });
    }
  }
  for (const [name, { metadata }] of Object.entries(config.auth!.authorizers)) {
    for (const [i, header] of metadata.entries()) {
      const claim = taken(header);
      if (claim !== undefined) report.of(tree, ["auth", "authorizers", name, "metadata", i], unseen(claim));
    }
  }
}
