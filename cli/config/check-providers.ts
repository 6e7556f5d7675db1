import type { Provider } from "../../gen/fairlead/config/v1/auth_pb.js";
import { isMetadata } from "../../worker/core/protocol/metadata.ts";
import { checkApiKeys, checkCertificates } from "./check-credentials.ts";
import { checkKeySet } from "./check-key-set.ts";
import { isClaim, noClaim } from "./check-requirements.ts";
import type { Checking } from "./checking.ts";
import type { Path } from "./issue.ts";

/** Reports providers that could vouch for nobody, or for others than is meant. */
export function checkProviders(checking: Checking): void {
  const { config, tree, report } = checking;
  const tokens = Object.entries(config.auth!.providers).filter(([, { issuer }]) => issuer !== "");
  for (const [name, provider] of Object.entries(config.auth!.providers)) {
    const path = ["auth", "providers", name];
    if (provider.issuer !== "") checkTokens(provider, path, checking);
    else checkStrays(provider, path, checking);
    if (provider.apiKeys !== undefined) checkApiKeys(provider.apiKeys, [...path, "api_keys"], checking);
    if (provider.clientCertificates !== undefined) checkCertificates(provider.clientCertificates, [...path, "client_certificates"], checking);
    const same = tokens.find(([other, one]) => other < name && isMistakable(one, provider));
    if (same !== undefined) report.of(tree, [...path, "issuer"], `must differ from that of "${same[0]}", which stands in the same place and has an audience in common: whose a token is could not be told`);
  }
}

function isMistakable(one: Provider, other: Provider): boolean {
  const place = ({ token }: Provider) => (token?.from.case === undefined ? "header authorization" : `${token.from.case} ${token.from.value}`);
  return one.issuer === other.issuer && place(one) === place(other) && one.audiences.some((audience) => other.audiences.includes(audience));
}

function checkTokens({ issuer, jwksUri, jwks, discovery, token, algorithms, scopesClaim }: Provider, path: Path, checking: Checking): void {
  const { tree, report } = checking;
  if (/\s/.test(issuer)) report.of(tree, [...path, "issuer"], `must be without blanks: current value is ${JSON.stringify(issuer)}`);
  if (jwksUri !== "" && !isKeyUrl(jwksUri)) report.of(tree, [...path, "jwks_uri"], keyUrl(jwksUri));
  if (discovery && !isKeyUrl(issuer)) report.of(tree, [...path, "issuer"], `with discovery ${keyUrl(issuer)}`);
  if (discovery && /[?]/.test(issuer)) report.of(tree, [...path, "issuer"], `with discovery must be without a query: current value is ${JSON.stringify(issuer)}`);
  if (jwks !== "") checkKeySet(jwks, algorithms, [...path, "jwks"], checking);
  if (scopesClaim !== "" && !isClaim(scopesClaim)) report.of(tree, [...path, "scopes_claim"], noClaim(scopesClaim));
  if (token?.from.case === "header") checkTokenHeader(token.from.value, [...path, "token", "header"], checking);
  if (token?.from.case === "cookie") checkCookie([...path, "token", "cookie"], checking);
}

function keyUrl(text: string): string {
  return `must be an https URL, or an http one of a loopback address, without user info and fragment: current value is ${JSON.stringify(text)}`;
}

function isKeyUrl(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const { protocol, hostname, username, password } = new URL(text);
  return (protocol === "https:" || (protocol === "http:" && isLoopback(hostname))) && username === "" && password === "" && !text.includes("#") && !text.includes("@");
}

/** Pages of other origins may send `authorization` without being told; another header must be allowed them. */
function checkTokenHeader(header: string, path: Path, { config, tree, report }: Checking): void {
  if (header === "cookie" || !isMetadata(header)) report.of(tree, path, `must be a header that callers may set: current value is "${header}"${header === "cookie" ? ", a token in a cookie has token: {cookie: NAME}" : ""}`);
  const { allowedOrigins = [], allowedHeaders = [] } = config.cors ?? {};
  const allowed = header === "authorization" || allowedHeaders.some((name) => name === "*" || name.toLowerCase() === header);
  if (allowedOrigins.length > 0 && !allowed) report.of(tree, path, `pages cannot send it: cors.allowed_headers does not have ${header}`, { severity: "warning" });
}

function checkCookie(path: Path, { config, tree, report }: Checking): void {
  const { allowedOrigins = [], allowCredentials = false } = config.cors ?? {};
  if (allowedOrigins.includes("*")) report.of(tree, path, 'needs cors.allowed_origins to name the pages that may call with it: current value is "*"');
  else if (allowedOrigins.length === 0) report.of(tree, path, "is taken from pages of the proxy's own origin alone: cors.allowed_origins names none", { severity: "warning" });
  else if (!allowCredentials) report.of(tree, path, "browsers do not send it from the pages of cors.allowed_origins: cors.allow_credentials is not true", { severity: "warning" });
  const open = allowedOrigins.filter((origin) => origin.startsWith("http://") && URL.canParse(origin) && !isLoopback(new URL(origin).hostname));
  if (open.length > 0) report.of(tree, path, `whoever is between a caller and a page that comes without TLS calls as that caller: cors.allowed_origins has ${open.join(", ")}`, { severity: "warning" });
}

function isLoopback(hostname: string): boolean {
  return hostname === "localhost" || hostname === "[::1]" || /^127(\.\d+){3}$/.test(hostname);
}

const ofTokens = [
  ["audiences", "audiences"], ["algorithms", "algorithms"], ["jwks_uri", "jwksUri"], ["jwks", "jwks"], ["discovery", "discovery"], ["token", "token"],
  ["clock_skew", "clockSkew"], ["scopes_claim", "scopesClaim"], ["keys_kept", "keysKept"], ["strip", "strip"],
] as const satisfies readonly (readonly [string, keyof Provider])[];

/** A provider of keys or certificates has no use for what belongs to tokens. */
function checkStrays(provider: Provider, path: Path, { tree, report }: Checking): void {
  if (provider.apiKeys === undefined && provider.clientCertificates === undefined) return;
  for (const [field, key] of ofTokens) {
    const value = provider[key];
    const given = Array.isArray(value) ? value.length > 0 : Boolean(value);
    if (given) report.of(tree, [...path, field], "is only for tokens: this provider has no issuer", { key: true });
  }
}
