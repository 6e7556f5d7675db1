import { identityHeaders } from "../core/auth/identity.ts";
import type { Principal } from "../core/auth/principal.ts";
import type { CompiledAuth } from "../core/config/compiled-auth.ts";
import type { Ports } from "../proxy/ports.ts";

/** Makes a principal of what was vouched for, with what an origin is told of it. */
export type Introduce = (vouched: Omit<Principal, "providerName" | "headers">) => Principal;

export function introducer({ providers, identity }: Pick<CompiledAuth, "providers" | "identity">, { log }: Pick<Ports, "log">): Introduce {
  return (vouched) => {
    const providerName = providers[vouched.provider]!.name;
    const { headers, unfit } = identityHeaders(identity, vouched.claims);
    if (unfit.length > 0) log({ level: "warn", event: "claim-left-out", provider: providerName, headers: unfit, why: "a header's value must be visible ASCII, of 4 KiB at most" });
    return { ...vouched, providerName, headers: identity.providerHeader === "" ? headers : [...headers, [identity.providerHeader, providerName]] };
  };
}
