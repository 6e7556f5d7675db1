import { type Failure, FailureError } from "../core/failure.ts";
import { concat } from "../core/protocol/envelope.ts";
import type { Account } from "./budget.ts";

/** Up to here a declared body is read in one native step and charged as declared; past it, charged as it comes. */
export const smallBody = 64 * 1024;

/** A body to be read whole: a Request, or an origin's reply. */
export interface Readable {
  readonly headers: Headers;
  readonly body: ReadableStream<Uint8Array<ArrayBuffer>> | null;
  readonly whole: () => Promise<ArrayBuffer>;
  /** What it means when the body breaks off. */
  readonly broken: Failure;
}

/** The declared length in bytes, or undefined where the body is chunked or declares nonsense. */
export function declaredLength(headers: Headers): number | undefined {
  const text = headers.get("content-length");
  return text !== null && /^\d{1,15}$/.test(text) ? Number(text) : undefined;
}

/**
 * Reads a body of at most `limit` bytes, each charged to the account.
 * Throws `message-too-large` (on the declared length already) or `over-budget`.
 */
export async function readWhole(from: Readable, limit: number, account: Account): Promise<Uint8Array<ArrayBuffer>> {
  const declared = declaredLength(from.headers);
  if (declared !== undefined && declared > limit) throw new FailureError({ kind: "message-too-large", limit });
  if (from.body === null || declared === 0) return new Uint8Array(0);
  if (declared !== undefined && declared <= smallBody) {
    account.charge(declared);
    try {
      return new Uint8Array(await from.whole());
    } catch {
      throw new FailureError(from.broken);
    }
  }
  const reader = from.body.getReader();
  const chunks: Uint8Array<ArrayBuffer>[] = [];
  let size = 0;
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return concat(chunks);
      size += value.length;
      if (size > limit) throw new FailureError({ kind: "message-too-large", limit });
      account.charge(value.length);
      chunks.push(value);
    }
  } catch (error) {
    throw error instanceof FailureError ? error : new FailureError(from.broken);
  } finally {
    reader.releaseLock();
  }
}
