import { withoutCookies } from "../core/auth/cookie.ts";
import type { Principal } from "../core/auth/principal.ts";
import type { CompiledAuth } from "../core/config/compiled-auth.ts";
import type { Call } from "../proxy/call.ts";
import { callerHeaders } from "./caller-headers.ts";

interface Place {
  readonly from: "header" | "cookie";
  readonly name: string;
  /** Indices of the providers whose tokens may go on. */
  readonly kept: ReadonlySet<number>;
}

/**
 * Takes tokens out of a call's metadata that must not go on, where they did not go by their header's name already. Where one provider
 * of a place has its tokens stripped, whatever stands there goes, unless it is known to be another's.
 */
export function stripper(auth: Pick<CompiledAuth, "providers" | "identity" | "authorizers">): (call: Pick<Call, "metadata">, principal: Principal | undefined) => void {
  const { read } = callerHeaders(auth);
  const tokens = auth.providers.flatMap((provider, index) => (provider.kind === "jwt" ? [{ ...provider.token, index, strips: provider.strip || auth.identity.mint !== null }] : []));
  const places = [...Map.groupBy(tokens, ({ from, name }) => `${from} ${name}`).values()]
    .filter((ofPlace) => ofPlace.some(({ strips }) => strips))
    .map((ofPlace): Place => ({ from: ofPlace[0]!.from, name: ofPlace[0]!.name, kept: new Set(ofPlace.flatMap(({ strips, index }) => (strips ? [] : [index]))) }));
  const headers = places.filter(({ from, name }) => from === "header" && read.has(name));
  const cookies = places.filter(({ from }) => from === "cookie");
  return ({ metadata }, principal) => {
    const goes = ({ kept }: Place): boolean => principal === undefined || !kept.has(principal.provider);
    for (const place of headers) if (goes(place)) metadata.delete(place.name);
    const cookie = cookies.length === 0 ? null : metadata.get("cookie");
    if (cookie === null) return;
    const rest = withoutCookies(cookie, cookies.filter(goes).map(({ name }) => name));
    if (rest === undefined) metadata.delete("cookie");
    else metadata.set("cookie", rest);
  };
}
