import { type Failure, FailureError } from "../core/failure.ts";
import { concat } from "../core/protocol/envelope.ts";
import type { Account } from "./budget.ts";
import { byteReader } from "./byte-reader.ts";
import type { BodySource } from "./ports.ts";

/** Up to here a declared reply is read in one native step and charged as declared; past it, charged as it comes. */
export const smallBody = 64 * 1024;

/** What a body of unknown length is first asked for: most end within it, and are then read in one step. */
export const smallestStep = 4 * 1024;

/** A content-length in bytes, or undefined where there is none, or nonsense. */
export function lengthFrom(text: string | null | undefined): number | undefined {
  return text && /^\d{1,15}$/.test(text) ? Number(text) : undefined;
}

export interface Reading {
  /** The body's length in bytes, where its head tells it. */
  readonly declared: number | undefined;
  /** Largest message, in bytes. */
  readonly limit: number;
  /** What a body may have beside its message, in bytes. Default: 0. */
  readonly room?: number;
  readonly account: Account;
  /** What it means when the body breaks off. */
  readonly broken: Failure;
  /** Up to here a declared length is charged before it comes, in bytes: less of a caller, who may never send it. Default: `smallBody`. */
  readonly atOnce?: number;
}

/** Reads a body, each byte charged to the account. Throws `message-too-large` (on the declared length already) or `over-budget`. */
export function readWhole(from: BodySource, reading: Reading): Promise<Uint8Array<ArrayBuffer>> {
  const { declared, limit, room = 0, account, broken, atOnce = smallBody } = reading;
  return declared !== undefined && declared <= Math.min(limit + room, atOnce) ? readSmall(from, declared, account, broken) : readLarge(from, reading);
}

async function readLarge(from: BodySource, reading: Reading): Promise<Uint8Array<ArrayBuffer>> {
  const { account } = reading;
  const pieces = await readPieces(from, reading);
  if (pieces.length <= 1) return pieces[0] ?? new Uint8Array(0);
  const size = pieces.reduce((sum, { length }) => sum + length, 0);
  account.charge(size);
  const whole = concat(pieces);
  account.give(size);
  return whole;
}

async function readSmall(from: BodySource, declared: number, account: Account, broken: Failure): Promise<Uint8Array<ArrayBuffer>> {
  account.charge(declared);
  try {
    return new Uint8Array(await from.arrayBuffer());
  } catch {
    throw new FailureError(broken);
  }
}

/** Reads a body in pieces, as `readWhole` does, without the copy that joins them. */
export async function readPieces({ body }: Pick<BodySource, "body">, { declared, limit, room = 0, account, broken }: Reading): Promise<Uint8Array<ArrayBuffer>[]> {
  if ((declared ?? 0) > limit + room) throw new FailureError({ kind: "message-too-large", limit });
  if (body === null) return [];
  const reader = byteReader(body);
  const pieces: Uint8Array<ArrayBuffer>[] = [];
  let size = 0;
  try {
    for (let step = smallestStep; ; step = Math.min(step * 4, smallBody)) {
      account.charge(step);
      const bytes = await reader.fill(step);
      size += bytes.length;
      if (size > limit + room) throw new FailureError({ kind: "message-too-large", limit });
      if (bytes.length > 0) pieces.push(bytes);
      if (bytes.length > step) account.charge(bytes.length - step);
      if (bytes.length >= step) continue;
      account.give(step - bytes.length);
      return pieces;
    }
  } catch (error) {
    pieces.forEach(letGo);
    throw error instanceof FailureError ? error : new FailureError(broken);
  } finally {
    reader.release();
  }
}

/** Gives memory back at once: a collector sees a small object, and leaves it for later. Buffers that others may share are left alone. */
function letGo({ buffer, length }: Uint8Array<ArrayBuffer>): void {
  if (buffer.byteLength === length) buffer.transfer(0);
}
