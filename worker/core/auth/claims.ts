/** What a token says, as JSON gave it. Read as own properties only: `__proto__` is a claim like any other. */
export type Claims = Readonly<Record<string, unknown>>;

/** An own member of a JSON object; undefined where there is none, or it is no object. */
export function ownMember(of: unknown, name: string): unknown {
  return isJsonObject(of) && Object.hasOwn(of, name) ? of[name] : undefined;
}

/** The claim at a path of names; lists are not looked into. */
export function claimAt(claims: Claims, path: readonly string[]): unknown {
  let at: unknown = claims;
  for (const name of path) at = ownMember(at, name);
  return at;
}

/** The claims with this one at a path of names; what is no object on the way gives place to one. */
export function withClaim(claims: Claims, [name = "", ...rest]: readonly string[], value: unknown): Claims {
  const inner = ownMember(claims, name);
  return { ...claims, [name]: rest.length === 0 ? value : withClaim(isJsonObject(inner) ? inner : {}, rest, value) };
}

/** Claims that a minted token has of its own: what it is good for, and whom it speaks of. */
export const mintedClaims: readonly string[] = ["iss", "sub", "aud", "exp", "nbf", "iat", "jti", "provider"];

/** The scopes that a token has, in the claim at this path (null: `scope`, then `scp`): a text with blanks between them, or a list. */
export function scopesOf(claims: Claims, path: readonly string[] | null): readonly string[] {
  if (path !== null) return scopesIn(claimAt(claims, path));
  const scopes = scopesIn(ownMember(claims, "scope"));
  return scopes.length > 0 ? scopes : scopesIn(ownMember(claims, "scp"));
}

function scopesIn(said: unknown): readonly string[] {
  if (typeof said === "string") return said.split(" ").filter((scope) => scope !== "");
  return Array.isArray(said) ? (said as unknown[]).filter((scope) => typeof scope === "string") : [];
}

/** Whether a claim, or an element of it where it is a list, is one of these, as text. */
export function isOneOf(claim: unknown, values: readonly string[]): boolean {
  const said: readonly unknown[] = Array.isArray(claim) ? claim : [claim];
  return said.some((one) => {
    const text = scalarText(one);
    return text !== undefined && values.includes(text);
  });
}

/** A text as it is; true, false and numbers as JSON writes them; undefined for anything else. */
export function scalarText(value: unknown): string | undefined {
  if (typeof value === "string") return value;
  return typeof value === "number" || typeof value === "boolean" ? String(value) : undefined;
}

export function isJsonObject(value: unknown): value is Record<string, unknown> {
  return value !== null && typeof value === "object" && !Array.isArray(value);
}
