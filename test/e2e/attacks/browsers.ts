import { type Attack, attack, onlyGet, posts } from "./attack.ts";
import { page } from "./config.ts";
import { token } from "./parties.ts";
import type { Fields } from "./request.ts";

const session = () => token({}, "cookie");
const denied = { service: "Cookie", code: "permission_denied" } as const;
const unknown = { service: "Cookie" } as const;
const cookie = (name: string, beside: Fields, further: Parameters<typeof attack>[2] = denied) => attack(name, () => ({ fields: [["cookie", `session=${session()}`], ...beside] }), further);
const from = (origin: string): Fields => [["origin", origin]];

/** A browser of somebody who is signed in, on a page of somebody else. */
export const browserAttacks: readonly Attack[] = [
  cookie("a cookie from nobody knows where", []),
  cookie("a cookie from another site", from("https://evil.example")),
  cookie("a cookie from a page that has no origin", from("null")),
  cookie("a cookie from an empty origin", from("")),
  cookie("a cookie from *", from("*")),
  cookie("a cookie from the same site, but another origin", from("https://evil.app.example")),
  cookie("a cookie from a site that begins with the right one", from(`${page}.evil.example`)),
  cookie("a cookie from a site that ends with the right one", from("https://evilapp.example")),
  cookie("a cookie from the right site by http", from("http://app.example")),
  cookie("a cookie from the right site at another port", from(`${page}:8443`)),
  cookie("a cookie from the right site in upper case", from(page.toUpperCase())),
  cookie("a cookie from the right site with a slash", from(`${page}/`)),
  cookie("a cookie from the right site with user info", from("https://ada@app.example")),
  cookie("a cookie from the right site with a dot after it", from(`${page}.`)),
  cookie("a cookie from two origins in one", from(`${page} https://evil.example`)),
  cookie("a cookie from two origins with a comma", from(`${page}, https://evil.example`)),
  cookie("a cookie from two origins in two headers", [["origin", page], ["origin", "https://evil.example"]]),
  cookie("a cookie from the proxy's own name by another scheme", from("http://proxy.example")),
  cookie("a cookie from the proxy's own name at another port", from("https://proxy.example:81")),
  cookie("a cookie from the proxy's name as another Host says it", [["origin", "http://evil.example"], ["x-forwarded-host", "evil.example"]]),
  cookie("a cookie with Referer instead of Origin", [["referer", `${page}/`]]),
  cookie("a cookie with Sec-Fetch-Site cross-site", [["sec-fetch-site", "cross-site"]]),
  cookie("a cookie with Sec-Fetch-Site same-site", [["sec-fetch-site", "same-site"]]),
  cookie("a cookie with Sec-Fetch-Site none", [["sec-fetch-site", "none"]]),
  cookie("a cookie with Sec-Fetch-Site twice", [["sec-fetch-site", "same-origin"], ["sec-fetch-site", "cross-site"]]),
  cookie("a cookie with Sec-Fetch-Site same-origin from another site", [["origin", "https://evil.example"], ["sec-fetch-site", "same-origin"]]),
  cookie("a cookie of a page that opens a link", [["sec-fetch-site", "cross-site"], ["sec-fetch-mode", "navigate"], ["sec-fetch-dest", "document"], ["referer", "https://evil.example/"]], { ...denied, forms: onlyGet }),
  cookie("a cookie of an image", [["sec-fetch-site", "cross-site"], ["sec-fetch-mode", "no-cors"], ["sec-fetch-dest", "image"]], { ...denied, forms: onlyGet }),
  cookie("a cookie of a form", [["content-type", "application/x-www-form-urlencoded"], ["origin", "https://evil.example"]], { service: "Cookie", code: "no-http", forms: posts }),
  cookie("a cookie with x-requested-with instead of Origin", [["x-requested-with", "XMLHttpRequest"]]),

  attack("no cookie", () => ({ fields: from(page) }), unknown),
  attack("an empty cookie", () => ({ fields: [["cookie", "session="], ...from(page)] }), unknown),
  attack("another cookie", () => ({ fields: [["cookie", `other=${session()}`], ...from(page)] }), unknown),
  attack("the cookie in upper case", () => ({ fields: [["cookie", `SESSION=${session()}`], ...from(page)] }), unknown),
  attack("the cookie with a prefix", () => ({ fields: [["cookie", `__Host-session=${session()}`], ...from(page)] }), unknown),
  attack("the cookie inside another's value", () => ({ fields: [["cookie", `a="x session=${session()}"`], ...from(page)] }), unknown),
  attack("the cookie in quotes", () => ({ fields: [["cookie", `session="${session()}"`], ...from(page)] }), unknown),
  attack("the cookie twice", () => ({ fields: [["cookie", `session=${session()}; session=${session()}`], ...from(page)] }), unknown),
  attack("the cookie twice, a bad one first", () => ({ fields: [["cookie", `session=x; session=${session()}`], ...from(page)] }), unknown),
  attack("the cookie behind a comma in another's value", () => ({ fields: [["cookie", `a=b,session=${session()}`], ...from(page)] }), unknown),
  attack("the cookie in two headers", () => ({ fields: [["cookie", `session=${session()}`], ["cookie", "session=x"], ...from(page)] }), unknown),
  attack("the cookie with Bearer before it", () => ({ fields: [["cookie", `session=Bearer ${session()}`], ...from(page)] }), unknown),
  attack("the cookie's token in authorization", () => ({ fields: [["authorization", `Bearer ${session()}`], ...from(page)] }), unknown),
  attack("the main provider's token in the cookie", () => ({ fields: [["cookie", `session=${token()}`], ...from(page)] }), unknown),
  attack("an expired cookie", () => ({ fields: [["cookie", `session=${token({ exp: 1 }, "cookie")}`], ...from(page)] }), unknown),
  attack("the cookie in cookie2", () => ({ fields: [["cookie2", `session=${session()}`], ...from(page)] }), unknown),
];
