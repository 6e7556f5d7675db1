import { countTo } from "../../core/auth/rate.ts";
import type { CompiledRateLimit } from "../../core/config/compiled-auth.ts";
import type { Tally } from "../../proxy/ports.ts";
import type { DenoKv } from "./deno.ts";

/** So often another process may be faster, or have the KV to itself. */
const mostTries = 50;
/** So long is waited after that, at most, in milliseconds: a commit of one on this machine takes less than one. */
const pauseMs = 5;

interface Waiting {
  readonly resolve: (waitMs: number) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Counting for all processes that share a Deno KV: each account has a key, which is set if nobody else has set it meanwhile. Calls of one process to one
 * account that come while it is at that are counted together, so that they are not in each other's way. Leases nobody holds: they would be two
 * writes for each call. https://docs.deno.com/deploy/kv/transactions/
 */
export function kvTally(kv: DenoKv): Tally {
  const queues = new Map<string, Waiting[]>();

  /** How long each of so many calls has to wait; undefined where another process was faster. */
  async function tryOnce(limit: CompiledRateLimit, key: readonly string[], calls: number): Promise<number[] | undefined> {
    const entry = await kv.get(key);
    const now = Date.now();
    let due = typeof entry.value === "number" ? entry.value : undefined;
    const waits = Array.from({ length: calls }, () => {
      const counted = countTo(limit, due, now);
      due = counted.due;
      return counted.waitMs;
    });
    // Where none may pass, nothing has changed.
    if (waits[0]! > 0) return waits;
    const { ok } = await kv.atomic().check(entry).set(key, due, { expireIn: Math.ceil(due! - now) }).commit();
    return ok ? waits : undefined;
  }

  async function count(limit: CompiledRateLimit, account: string, calls: number): Promise<number[]> {
    let failure: unknown = new Error("others were always faster");
    for (let i = 0; i < mostTries; i++) {
      try {
        const waits = await tryOnce(limit, ["fairlead rate limits", limit.name, account], calls);
        if (waits !== undefined) return waits;
      } catch (error) {
        // A KV in a file refuses what comes while another process writes.
        failure = error;
      }
      await new Promise((resolve) => setTimeout(resolve, Math.random() * pauseMs));
    }
    throw failure;
  }

  async function work(name: string, queue: Waiting[], limit: CompiledRateLimit, account: string): Promise<void> {
    while (queue.length > 0) {
      const together = queue.splice(0);
      try {
        const waits = await count(limit, account, together.length);
        for (const [i, { resolve }] of together.entries()) resolve(waits[i]!);
      } catch (error) {
        for (const { reject } of together) reject(error);
      }
    }
    queues.delete(name);
  }

  return {
    leases: null,
    count(limit, account) {
      const name = `${limit.name} ${account}`;
      const queue = queues.get(name);
      return new Promise((resolve, reject) => {
        if (queue !== undefined) return void queue.push({ resolve, reject });
        const own = [{ resolve, reject }];
        queues.set(name, own);
        void work(name, own, limit, account);
      });
    },
  };
}
