import type { Evaluate } from "../core/auth/condition.ts";
import { judge } from "../core/auth/judge.ts";
import { haveConditions, policyFinder } from "../core/auth/policy.ts";
import type { Principal } from "../core/auth/principal.ts";
import type { Refusal } from "../core/auth/refusal.ts";
import type { CompiledConfig } from "../core/config/compiled.ts";
import type { CompiledPolicy } from "../core/config/compiled-auth.ts";
import { FailureError } from "../core/failure.ts";
import type { Call, Reply } from "../proxy/call.ts";
import type { Choosing } from "../proxy/choosing.ts";
import type { Handler } from "../proxy/layer.ts";
import type { Ports } from "../proxy/ports.ts";
import { authorizer } from "./authorizer.ts";
import { looks } from "./credentials.ts";
import type { Minting } from "./mint.ts";
import { rateLimits } from "./rate-limits.ts";
import { refused } from "./reply.ts";
import { stripper } from "./strip.ts";

/** What a bundler may set: without CEL, which only conditions need, a Worker is a fifth smaller, and starts sooner. Default: true. */
declare const FAIRLEAD_CONDITIONS: boolean | undefined;
const loadCel = typeof FAIRLEAD_CONDITIONS !== "undefined" && !FAIRLEAD_CONDITIONS ? undefined : () => import("../core/auth/condition.ts");

interface Authorized {
  /** Undefined where everybody may call. */
  readonly principal: Principal | undefined;
}

export interface GuardNeeds {
  readonly config: CompiledConfig;
  readonly ports: Ports;
  readonly choosing: Choosing;
  /** null: callers' own tokens go on. */
  readonly mint: Minting | null;
}

/**
 * Lets those calls pass whose callers may make them. A method that nobody has said anything of is refused; one that is open to
 * everybody costs a look-up. Whatever credential a call shows must be good, all of them, and one must meet a requirement. Throws where
 * the config has conditions, and the Worker was built without.
 */
export function guard({ config, ports, choosing, mint }: GuardNeeds, inner: Handler): Handler {
  const { auth, cors } = config;
  if (loadCel === undefined && haveConditions(auth.policies)) throw new Error("Cannot start with a condition: the Worker was built with FAIRLEAD_CONDITIONS = false");
  const policyOf = policyFinder(auth.policies);
  const places = looks({ auth, allowedOrigins: cors.allowedOrigins.filter((origin) => origin !== "*"), ports });
  const limit = rateLimits(auth.rateLimits, ports);
  const authorizers = auth.authorizers.map((one) => authorizer(one, { ports, choosing, cluster: config.clusters[one.cluster]! }));
  const strip = stripper(auth);
  let evaluate: Evaluate | undefined;

  /** Judges everybody for whom a call's credentials vouch, if each of them is good. */
  function judgeFound(call: Call, policy: CompiledPolicy | undefined, found: readonly (Principal | Refusal | undefined)[]): Refusal | Authorized {
    const refusal = found.find((one) => one !== undefined && "kind" in one);
    if (refusal !== undefined) return refusal as Refusal;
    const principals = found.filter((one) => one !== undefined) as readonly Principal[];
    if (policy === undefined) return { kind: "no-policy", known: principals.length > 0 };
    if (principals.length === 0) return { kind: "no-credential" };
    const judged = judge(policy.requirements, principals, (condition, principal) => evaluate!(condition, principal, { method: call.path, metadata: call.metadata }));
    return "unmet" in judged ? { kind: "unmet", unmet: judged.unmet } : judged;
  }

  /** At once, where nothing has to be waited for: most calls come with a token that came before. */
  function authorize(call: Call, policy: CompiledPolicy | undefined): Refusal | Authorized | Promise<Refusal | Authorized> {
    if (policy?.requirements.length === 0) return { principal: undefined };
    const found = places.map((look) => look(call));
    const loading = evaluate === undefined && policy?.requirements.some(({ condition }) => condition !== null) === true ? loadConditions() : undefined;
    if (loading !== undefined) return Promise.all([Promise.all(found), loading]).then(([all]) => judgeFound(call, policy, all));
    const waiting = found.findIndex((one) => one instanceof Promise);
    if (waiting === -1) return judgeFound(call, policy, found as readonly (Principal | Refusal | undefined)[]);
    if (found.length > 1) return Promise.all(found).then((all) => judgeFound(call, policy, all));
    return (found[0] as Promise<Principal | Refusal>).then((one) => judgeFound(call, policy, [one]));
  }

  async function loadConditions(): Promise<void> {
    const { conditions } = await loadCel!();
    evaluate ??= conditions();
  }

  /** What a policy asks beside its requirements: rates, and an authorizer. */
  async function admitSlowly(call: Call, policy: CompiledPolicy): Promise<Refusal | "admitted"> {
    const tooMany = await limit(policy.rateLimits, "address", call, undefined);
    if (tooMany !== undefined) return tooMany;
    const authorized = await authorize(call, policy);
    if ("kind" in authorized) return authorized;
    const { principal } = authorized;
    const usedUp = await limit(policy.rateLimits, "rest", call, principal);
    if (usedUp !== undefined) return usedUp;
    const asked = policy.authorizer === null ? undefined : await authorizers[policy.authorizer]!(call, principal);
    if (asked !== undefined && "kind" in asked) return asked;
    introduce(call, principal);
    for (const [name, value] of asked?.headers ?? []) call.metadata.set(name, value);
    return "admitted";
  }

  function admit(call: Call, policy: CompiledPolicy | undefined): Refusal | "admitted" | Promise<Refusal | "admitted"> {
    if (policy !== undefined && (policy.rateLimits.length > 0 || policy.authorizer !== null)) return admitSlowly(call, policy);
    const authorized = authorize(call, policy);
    const settle = (one: Refusal | Authorized): Refusal | "admitted" => {
      if ("kind" in one) return one;
      introduce(call, one.principal);
      return "admitted";
    };
    return authorized instanceof Promise ? authorized.then(settle) : settle(authorized);
  }

  /** Tells an origin who calls. */
  function introduce(call: Call, principal: Principal | undefined): void {
    strip(call, principal);
    if (principal === undefined) return;
    call.caller.principal = principal;
    if (mint !== null) call.caller.token = (cluster) => mint.token(principal, cluster);
    for (const [name, value] of principal.headers) call.metadata.set(name, value);
  }

  async function guarded(call: Call, policy: CompiledPolicy | undefined): Promise<Reply> {
    const admitting = admit(call, policy);
    const admitted = admitting instanceof Promise ? await call.life.orOver(admitting) : admitting;
    if (admitted === undefined) throw new FailureError(call.life.failure()!);
    if (admitted !== "admitted") return refused(call, admitted, policy, ports);
    call.caller.guarded = true;
    return inner(call);
  }

  return (call) => {
    const policy = policyOf(call.path, { host: call.host, basePath: call.route.match.basePath });
    call.trace.policy = policy;
    if (policy === undefined || !isOpen(policy)) return guarded(call, policy);
    introduce(call, undefined);
    return inner(call);
  };
}

/** Whether a method asks nothing of its callers. */
function isOpen({ requirements, authorizer, rateLimits }: CompiledPolicy): boolean {
  return requirements.length === 0 && authorizer === null && rateLimits.length === 0;
}
