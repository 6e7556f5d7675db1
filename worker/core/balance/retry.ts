import type { CompiledMethod, CompiledRetry, CompiledRoute } from "../config/compiled.ts";
import type { Code } from "../protocol/code.ts";

/** Whether a call of this method may be sent again though the origin may have begun it. */
export function isRepeatable(method: CompiledMethod | undefined): boolean {
  return method !== undefined && method.idempotency !== "unknown";
}

/** What the schema says of a method's attempts holds where its route leaves it open. */
export function retryOf({ route, method }: { readonly route: CompiledRoute; readonly method: CompiledMethod | undefined }): CompiledRetry {
  const own = route.open.includes("maxAttempts") ? method?.maxAttempts : undefined;
  return own === undefined ? route.retry : { ...route.retry, maxAttempts: own };
}

/** How an attempt failed. */
export interface Failed {
  readonly code: Code;
  /** Whether the request surely did not reach the origin. */
  readonly unreached: boolean;
  /** What the origin says of another attempt, `grpc-retry-pushback-ms`; null: nothing. */
  readonly pushback: string | null;
}

/**
 * How long to wait before another attempt, in milliseconds; Infinity: the origin wants none, but one that is under way may still be good; undefined: none
 * could be better. `made` counts the attempts so far, `random` is uniform in [0, 1).
 * https://github.com/grpc/proposal/blob/master/A6-client-retries.md
 */
export function retryAfter({ codes }: CompiledRetry, { code, unreached, pushback }: Failed, repeatable: boolean, made: number, random: number): number | undefined {
  if (!unreached && !(repeatable && codes.includes(code))) return undefined;
  if (pushback === null) return Math.min(initialMs * 4 ** (made - 1), longestMs) * (0.8 + 0.4 * random);
  return /^\d{1,6}$/.test(pushback) ? Number(pushback) : Infinity;
}

/**
 * HTTP 429 as a pushback: no sooner than its Retry-After says in seconds, wherever that is, since what it counts may be common to all endpoints; never where
 * it says nothing, or a date. On the wire it stays `unavailable`, as gRPC and Connect map it.
 * https://www.rfc-editor.org/rfc/rfc6585#section-4 https://www.rfc-editor.org/rfc/rfc9110#section-10.2.3
 */
export function pushbackOfLimit(retryAfter: string | null): string {
  return retryAfter !== null && /^\d{1,3}$/.test(retryAfter) ? `${retryAfter}000` : "-1";
}

const initialMs = 20;
const longestMs = 500;

/**
 * How long to wait for an attempt before another one begins beside it, in milliseconds; `usual`: what 95 of 100 such
 * calls do not exceed, 0 where nobody knows. `early`: the method has no side effects, or the attempt is at an endpoint on probation.
 * Few calls are sent twice for it, and their tail is cut off: https://doi.org/10.1145/2408776.2408794 (Dean and Barroso, 2013).
 */
export function hedgeAfter({ perTryTimeoutMs, hedgingDelayMs }: CompiledRetry, early: boolean, usual: number): number {
  if (!early) return Math.max(perTryTimeoutMs, 2 * usual);
  return hedgingDelayMs ?? (usual === 0 ? unknownHedgeMs : Math.max(quickestHedgeMs, usual));
}

const quickestHedgeMs = 50;
const unknownHedgeMs = 300;

/** How many further attempts calls may cause: tokens that calls earn and attempts spend. */
export interface RetryBudget {
  /** A call came. */
  earn(): void;
  /** Whether there may be another attempt. */
  has(): boolean;
  /** To be called for each that is made. */
  spend(): void;
}

/**
 * A fifth of the calls may be sent again, and so many at a stroke as a region that dies needs. Beyond it a slow or failing
 * origin would get several times its load, and never recover.
 */
export function retryBudget(): RetryBudget {
  let tokens = mostTokens;
  return {
    earn: () => void (tokens = Math.min(mostTokens, tokens + earnedByOne)),
    has: () => tokens >= 1,
    spend: () => void tokens--,
  };
}

const mostTokens = 500;
const earnedByOne = 0.2;
