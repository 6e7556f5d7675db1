/** Cookies as credentials: https://www.rfc-editor.org/rfc/rfc6265#section-4.2.1 */

/**
 * The value of the cookie of this name; undefined where there is none, "unclear" where there are several, or where it stands behind a
 * comma: that is where a runtime put another field's beginning, or what somebody wrote into another cookie's value.
 */
export function cookieOf(header: string, name: string): { readonly value: string } | "unclear" | undefined {
  const found = pairs(header).filter((pair) => namesIn(pair).includes(name));
  if (found.length === 0) return undefined;
  const [only = ""] = found;
  return found.length > 1 || namesIn(only).lastIndexOf(name) > 0 ? "unclear" : { value: only.slice(only.indexOf("=") + 1) };
}

/** The header without the cookies of these names, wherever they stand; undefined where nothing is left of it. */
export function withoutCookies(header: string, names: readonly string[]): string | undefined {
  const kept = pairs(header).filter((pair) => pair !== "" && !namesIn(pair).some((name) => names.includes(name)));
  return kept.length === 0 ? undefined : kept.join("; ");
}

function pairs(header: string): string[] {
  return header.split(";").map(trimmed);
}

/** The name of a pair, then whatever would be one if commas were between cookies. */
function namesIn(pair: string): string[] {
  return pair.split(",").map((part) => trimmed(part.slice(0, Math.max(part.indexOf("="), 0))));
}

/** Without the blanks that HTTP knows; other white space is part of a name. By hand: an expression takes the square of the time for a long row of blanks inside. */
function trimmed(text: string): string {
  let [from, to] = [0, text.length];
  while (from < to && isBlank(text, from)) from++;
  while (from < to && isBlank(text, to - 1)) to--;
  return text.slice(from, to);
}

function isBlank(text: string, at: number): boolean {
  return text[at] === " " || text[at] === "\t";
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
  return origin !== "*" && (origin === ownOrigin(url) || allowedOrigins.includes(origin));
}

/** The proxy's own (undefined: its Host is none), as browsers see it: by https, whatever a front that ends TLS makes of it. Only a loopback address needs none. */
function ownOrigin(url: string): string | undefined {
  // Without the path: whatever goes wrong here, a query does not get into a log.
  const [base = ""] = /^[a-z]+:\/\/[^/?#]*/.exec(url) ?? [];
  if (!URL.canParse(base)) return undefined;
  const { protocol, hostname, host } = new URL(base);
  const loopback = hostname === "localhost" || hostname === "[::1]" || /^127(?:\.\d+){3}$/.test(hostname);
  return loopback ? `${protocol}//${host}` : new URL(`https://${host}`).origin;
}
