import type { Principal } from "../core/auth/principal.ts";
import { countedAddress, counter } from "../core/auth/rate.ts";
import type { Refusal } from "../core/auth/refusal.ts";
import type { CompiledRateLimit } from "../core/config/compiled-auth.ts";
import type { Call } from "../proxy/call.ts";
import type { Limiter, Ports } from "../proxy/ports.ts";
import { sha256Hex } from "./sha256.ts";
import { sharedRate } from "./shared-rate.ts";

type Counted = Pick<Call, "path" | "facts" | "method">;

/** Counts a call against limits (by index) of one kind; the first that is used up, or undefined. */
export type Limit = (limits: readonly number[], per: "address" | "rest", call: Counted, principal: Principal | undefined) => Promise<Refusal | undefined> | Refusal | undefined;

/**
 * What is counted by address is counted before anybody is asked who they are, so that guessing is bounded, too; the rest after, so that
 * who may not call uses nothing up.
 */
export function rateLimits(all: readonly CompiledRateLimit[], ports: Pick<Ports, "limiter" | "tally" | "now" | "after" | "log">): Limit {
  const counters = all.map((limit) => counter(limit));
  const shared = all.map((limit) => (limit.shared ? sharedRate(limit, ports) : undefined));
  const missing = new Set<string>();

  function limiterOf({ binding }: CompiledRateLimit): Limiter | undefined {
    if (binding === null) return undefined;
    const limiter = ports.limiter(binding);
    if (limiter === undefined && !missing.has(binding)) {
      missing.add(binding);
      ports.log({ level: "warn", event: "rate-limiter-missing", binding, instead: "counted here" });
    }
    return limiter;
  }

  async function askPlatform(limiter: Limiter, limit: CompiledRateLimit, key: string): Promise<Refusal | undefined> {
    try {
      const { success } = await limiter.limit({ key });
      return success ? undefined : { kind: "rate-limited", limit: limit.name, retryAfterMs: limit.periodMs };
    } catch (error) {
      // A limit is no door: where nobody can count, calls pass.
      ports.log({ level: "warn", event: "rate-limiter-failed", limit: limit.name, error: String(error) });
      return undefined;
    }
  }

  async function count(counted: readonly CompiledRateLimit[], call: Counted, principal: Principal | undefined): Promise<Refusal | undefined> {
    for (const limit of counted) {
      const whole = keyOf(limit, call, principal);
      const key = whole.length > mostKeyLength ? await sha256Hex(whole) : whole;
      const limiter = limiterOf(limit);
      if (limiter !== undefined) {
        const refusal = await askPlatform(limiter, limit, key);
        if (refusal !== undefined) return refusal;
        continue;
      }
      const at = all.indexOf(limit);
      const together = shared[at];
      const retryAfterMs = (together && (await together(whole))) ?? counters[at]!.take(key, ports.now());
      if (retryAfterMs > 0) return { kind: "rate-limited", limit: limit.name, retryAfterMs };
    }
    return undefined;
  }

  return (limits, per, call, principal) => {
    const counted = limits.map((index) => all[index]!).filter((limit) => (limit.per === "address") === (per === "address"));
    return counted.length === 0 ? undefined : count(counted, call, principal);
  };
}

/** A longer key is counted by its hash: what callers write must not fill the memory. */
const mostKeyLength = 64;

function keyOf({ name, per }: CompiledRateLimit, { path, method, facts }: Counted, principal: Principal | undefined): string {
  // Methods that nobody knows are counted together: callers can make up as many as they like.
  if (per === "method") return `${name} method ${method === undefined ? "" : path}`;
  if (per === "principal" && principal !== undefined) return `${name} principal ${principal.providerName} ${whoIs(principal)}`;
  // Callers whose address nobody vouches for are counted together.
  return `${name} address ${countedAddress(facts.clientAddress() ?? "")}`;
}

/** A token that names no subject stands for itself alone. */
function whoIs({ subject, fingerprint }: Principal): string {
  return subject === "" ? `without a subject ${fingerprint}` : `subject ${subject}`;
}
