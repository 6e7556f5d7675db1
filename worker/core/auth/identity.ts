import type { CompiledIdentity } from "../config/compiled-auth.ts";
import { base64Encode } from "../protocol/base64.ts";
import { utf8 } from "../protocol/envelope.ts";
import { type Claims, claimAt, scalarText } from "./claims.ts";

type Field = readonly [name: string, value: string];

/** The header fields that tell an origin of a caller, and the names of those whose claim no header can hold as it is. */
export function identityHeaders({ claimsHeader, claimHeaders }: Pick<CompiledIdentity, "claimsHeader" | "claimHeaders">, claims: Claims): { readonly headers: readonly Field[]; readonly unfit: readonly string[] } {
  const headers: Field[] = [];
  const unfit: string[] = [];
  const tell = (header: string, text: string | undefined): void => {
    if (text !== undefined && isHeaderValue(text)) headers.push([header, text]);
    else unfit.push(header);
  };
  if (claimsHeader !== "") tell(claimsHeader, base64url(utf8(JSON.stringify(claims))));
  for (const { header, path } of claimHeaders) {
    const claim = claimAt(claims, path);
    if (claim !== undefined && claim !== null) tell(header, scalarText(claim));
  }
  return { headers, unfit };
}

/** Whether a text arrives as a header's value as it was sent: visible ASCII, with blanks only inside. */
export function isHeaderValue(text: string): boolean {
  return text.length <= 4096 && /^[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?$/.test(text);
}

function base64url(bytes: Uint8Array): string {
  return base64Encode(bytes).replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");
}
