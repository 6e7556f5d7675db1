import type { CompiledCertificateProvider } from "../config/compiled-auth.ts";

/** What a front tells of a client certificate that it has verified. */
export interface ClientCertificate {
  /** SHA-256 of its DER, in hex and lower case; "" where nobody tells. */
  readonly sha256: string;
  /** Its subject's distinguished name; "" where nobody tells. */
  readonly subject: string;
}

/**
 * Reads Envoy's x-forwarded-client-cert: elements with commas between them, each of `Key=value` with semicolons between them, values in
 * quotes where they have such characters. The last element is the one that the nearest front wrote. Undefined where it is malformed.
 * https://www.envoyproxy.io/docs/envoy/latest/configuration/http/http_conn_man/headers#x-forwarded-client-cert
 */
export function forwardedCertificate(value: string): ClientCertificate | undefined {
  const pair = /[ \t]*([A-Za-z]+)=(?:("(?:[^"\\]|\\.)*")[ \t]*|([^",;]*))(;|,|$)/y;
  let [sha256, subject] = ["", ""];
  let named = new Set<string>();
  do {
    const [, key = "", quoted, bare = "", then] = pair.exec(value) ?? [];
    const name = key.toLowerCase();
    if (then === undefined || (named.has(name) && (name === "hash" || name === "subject"))) return undefined;
    named.add(name);
    const text = quoted === undefined ? bare.trim() : quoted.slice(1, -1).replace(/\\(.)/g, "$1");
    if (name === "hash") sha256 = text.toLowerCase();
    if (name === "subject") subject = text;
    if (then === "") return sha256 === "" && subject === "" ? undefined : { sha256, subject };
    if (then === ",") [sha256, subject, named] = ["", "", new Set()];
  } while (pair.lastIndex < value.length);
  return undefined;
}

/** Whose a certificate is, and what it may be used for; undefined where the provider does not take it. */
export function certificateOwner({ allowed }: Pick<CompiledCertificateProvider, "allowed">, { sha256, subject }: ClientCertificate): { readonly name: string; readonly scopes: readonly string[] } | undefined {
  if (allowed.length === 0) return { name: subject === "" ? sha256 : subject, scopes: [] };
  return allowed.find((one) => (one.sha256 === null ? one.subject !== null && one.subject !== "" && one.subject === subject : one.sha256 === sha256));
}
