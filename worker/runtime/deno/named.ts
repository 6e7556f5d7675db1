/**
 * Whether a request says by what name it calls, and only one. Deno takes HTTP/1.1 without a Host, and makes it `localhost`; of a target
 * in absolute form it believes the target, whatever Host says. HTTP/2 has no Host, so that there only the name `localhost` with the
 * server's own port cannot be told from none. https://www.rfc-editor.org/rfc/rfc9112#section-3.2
 */
export function isNamed({ url, headers }: Pick<Request, "url" | "headers">, port: number): boolean {
  const from = url.indexOf("//") + 2;
  const host = headers.get("host");
  // A URL leaves out port 80.
  if (host === null) return !url.startsWith(`localhost${port === 80 ? "" : `:${port}`}/`, from);
  return url.startsWith(`${host}/`, from) || url.slice(from).toLowerCase().startsWith(`${host.toLowerCase()}/`);
}
