/** Cookies as credentials: https://www.rfc-editor.org/rfc/rfc6265#section-4.2.1 */

/** The value of the cookie of this name; undefined where there is none, "twice" where there are several. */
export function cookieOf(header: string, name: string): { readonly value: string } | "twice" | undefined {
  const found = pairs(header).filter((pair) => nameOf(pair) === name);
  if (found.length > 1) return "twice";
  return found[0] === undefined ? undefined : { value: found[0].slice(found[0].indexOf("=") + 1) };
}

/** The header without the cookies of these names; undefined where nothing is left of it. */
export function withoutCookies(header: string, names: readonly string[]): string | undefined {
  const kept = pairs(header).filter((pair) => pair !== "" && !names.includes(nameOf(pair)));
  return kept.length === 0 ? undefined : kept.join("; ");
}

/** Several header fields are joined by commas. */
function pairs(header: string): string[] {
  return header.split(/;|,(?=[ \t]*[!#$%&'*+.^_`|~0-9A-Za-z-]+=)/).map((pair) => pair.trim());
}

function nameOf(pair: string): string {
  return pair.slice(0, Math.max(pair.indexOf("="), 0)).trim();
}

/** What of a request tells which page it came from. */
export interface CameFrom {
  readonly url: string;
  readonly origin: string | null;
  readonly fetchSite: string | null;
}

/**
 * Whether a call with a cookie was made by a page that may: a browser sends cookies along, whoever made it call. Only the browser's own
 * word counts: Origin, or Sec-Fetch-Site where it sends none.
 */
export function mayUseCookie({ url, origin, fetchSite }: CameFrom, allowedOrigins: readonly string[]): boolean {
  if (origin === null) return fetchSite === "same-origin";
  return origin !== "*" && (origin === url.slice(0, url.indexOf("/", url.indexOf("//") + 2)) || allowedOrigins.includes(origin));
}
