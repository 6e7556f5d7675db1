import { withoutCookies } from "../core/auth/cookie.ts";
import type { Principal } from "../core/auth/principal.ts";
import type { CompiledAuth } from "../core/config/compiled-auth.ts";
import type { Call } from "../proxy/call.ts";
import { callerHeaders } from "./caller-headers.ts";

/** Takes tokens out of a call's metadata that must not go on, where they did not go by their header's name already. */
export function stripper(auth: Pick<CompiledAuth, "providers" | "identity">): (call: Pick<Call, "metadata">, principal: Principal | undefined) => void {
  const { read } = callerHeaders(auth);
  const stripped = auth.providers.map((provider) => (provider.kind === "jwt" && (provider.strip || auth.identity.mint !== null) ? provider.token : undefined));
  const cookies = stripped.flatMap((token) => (token?.from === "cookie" ? [token.name] : []));
  const headers = stripped.map((token) => (token?.from === "header" && read.has(token.name) ? token.name : undefined));
  return ({ metadata }, principal) => {
    const header = principal && headers[principal.provider];
    if (header !== undefined) metadata.delete(header);
    if (cookies.length === 0) return;
    const cookie = metadata.get("cookie");
    if (cookie === null) return;
    const rest = withoutCookies(cookie, cookies);
    if (rest === undefined) metadata.delete("cookie");
    else metadata.set("cookie", rest);
  };
}
