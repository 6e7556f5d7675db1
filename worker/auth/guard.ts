import type { Evaluate } from "../core/auth/condition.ts";
import { judge } from "../core/auth/judge.ts";
import { policyFinder } from "../core/auth/policy.ts";
import type { Principal } from "../core/auth/principal.ts";
import type { Refusal } from "../core/auth/refusal.ts";
import type { CompiledConfig } from "../core/config/compiled.ts";
import type { CompiledPolicy } from "../core/config/compiled-auth.ts";
import { FailureError } from "../core/failure.ts";
import type { Call } from "../proxy/call.ts";
import type { Choosing } from "../proxy/choosing.ts";
import type { Handler } from "../proxy/layer.ts";
import type { Ports } from "../proxy/ports.ts";
import { authorizer } from "./authorizer.ts";
import { looks } from "./credentials.ts";
import type { Minting } from "./mint.ts";
import { rateLimits } from "./rate-limits.ts";
import { keepPrivate, refused } from "./reply.ts";
import { stripper } from "./strip.ts";

export interface GuardNeeds {
  readonly config: CompiledConfig;
  readonly ports: Ports;
  readonly choosing: Choosing;
  /** null: callers' own tokens go on. */
  readonly mint: Minting | null;
}

/**
 * Lets those calls pass whose callers may make them. A method that nobody has said anything of is refused; one that is open to
 * everybody costs a look-up. Whatever credential a call shows must be good, all of them, and one must meet a requirement.
 */
export function guard({ config, ports, choosing, mint }: GuardNeeds, inner: Handler): Handler {
  const { auth, cors } = config;
  const policyOf = policyFinder(auth.policies);
  const places = looks({ auth, allowedOrigins: cors.allowedOrigins.filter((origin) => origin !== "*"), ports });
  const limit = rateLimits(auth.rateLimits, ports);
  const authorizers = auth.authorizers.map((one) => authorizer(one, { ports, choosing }));
  const strip = stripper(auth);
  let evaluate: Evaluate | undefined;

  /** Everybody for whom a call's credentials vouch, or why one of them is not good. */
  async function identify(call: Call): Promise<Refusal | { readonly principals: readonly Principal[] }> {
    const principals: Principal[] = [];
    for (const look of places) {
      const found = look(call);
      const one = found instanceof Promise ? await found : found;
      if (one === undefined) continue;
      if ("kind" in one) return one;
      principals.push(one);
    }
    return { principals };
  }

  async function authorize(call: Call, policy: CompiledPolicy | undefined): Promise<Refusal | { readonly principal: Principal | undefined }> {
    if (policy?.requirements.length === 0) return { principal: undefined };
    const identified = await identify(call);
    if ("kind" in identified) return identified;
    const { principals } = identified;
    if (policy === undefined) return { kind: "no-policy", known: principals.length > 0 };
    if (principals.length === 0) return { kind: "no-credential" };
    if (evaluate === undefined && policy.requirements.some(({ condition }) => condition !== null)) evaluate = (await import("../core/auth/condition.ts")).conditions();
    const judged = judge(policy.requirements, principals, (condition, principal) => evaluate!(condition, principal, { method: call.path, metadata: call.metadata }));
    return "unmet" in judged ? { kind: "unmet", unmet: judged.unmet } : judged;
  }

  async function admit(call: Call, policy: CompiledPolicy | undefined): Promise<Refusal | "admitted"> {
    const limits = policy?.rateLimits ?? [];
    const tooMany = limits.length === 0 ? undefined : await limit(limits, "address", call, undefined);
    if (tooMany !== undefined) return tooMany;
    const authorized = await authorize(call, policy);
    if ("kind" in authorized) return authorized;
    const { principal } = authorized;
    const usedUp = limits.length === 0 ? undefined : await limit(limits, "rest", call, principal);
    if (usedUp !== undefined) return usedUp;
    const asked = policy === undefined || policy.authorizer === null ? undefined : await authorizers[policy.authorizer]!(call, principal);
    if (asked !== undefined && "kind" in asked) return asked;
    introduce(call, principal);
    for (const [name, value] of asked?.headers ?? []) call.metadata.set(name, value);
    call.trace.admission = `${policy!.source} lets ${principal === undefined ? "everybody" : `${principal.subject} of ${principal.providerName}`} call it`;
    return "admitted";
  }

  /** Tells an origin who calls. */
  function introduce(call: Call, principal: Principal | undefined): void {
    strip(call, principal);
    if (principal === undefined) return;
    call.caller.principal = principal;
    if (mint !== null) call.caller.token = (cluster) => mint.token(principal, cluster);
    for (const [name, value] of principal.headers) call.metadata.set(name, value);
  }

  return async (call) => {
    const policy = policyOf(call.path);
    if (policy !== undefined && isOpen(policy)) {
      introduce(call, undefined);
      return inner(call);
    }
    const admitted = await call.life.orOver(admit(call, policy));
    if (admitted === undefined) throw new FailureError(call.life.failure()!);
    if (admitted !== "admitted") return refused(call, admitted, policy, ports);
    const reply = await inner(call);
    keepPrivate(call, reply.headers);
    return reply;
  };
}

/** Whether a method asks nothing of its callers. */
function isOpen({ requirements, authorizer, rateLimits }: CompiledPolicy): boolean {
  return requirements.length === 0 && authorizer === null && rateLimits.length === 0;
}
