import type { CompiledAuth, CompiledJwtProvider } from "../core/config/compiled-auth.ts";
import type { CallerHeaders } from "../core/protocol/metadata.ts";

/** The headers in which callers show who they are, and those in which origins are told: nobody else may write the latter. */
export function callerHeaders({ providers, identity, authorizers }: Pick<CompiledAuth, "providers" | "identity" | "authorizers">): CallerHeaders {
  const tokens = providers.filter((provider) => provider.kind === "jwt");
  const places = Map.groupBy(tokens, ({ token }) => (token.from === "cookie" ? "cookie" : token.name));
  const read = [...places.keys()].filter((name) => name === "cookie" || !crossesNot(places.get(name)!, identity.mint !== null));
  const withheld = [
    ...[...places.keys()].filter((name) => !read.includes(name)),
    ...providers.flatMap((provider) => (provider.kind === "api-key" ? [provider.header] : provider.kind === "certificate" && provider.trustedHeader !== "" ? [provider.trustedHeader] : [])),
    ...[identity.claimsHeader, identity.providerHeader].filter((name) => name !== ""),
    ...identity.claimHeaders.map(({ header }) => header),
    ...authorizers.flatMap(({ headers }) => headers),
    ...(identity.mint === null ? [] : ["authorization"]),
  ];
  return { read: new Set(read), withheld: new Set(withheld) };
}

function crossesNot(tokens: readonly CompiledJwtProvider[], minted: boolean): boolean {
  return minted || tokens.every(({ strip }) => strip);
}
