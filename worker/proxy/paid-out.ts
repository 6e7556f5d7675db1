import type { Account } from "./budget.ts";

const sliceBytes = 64 * 1024;

/** Bytes that stay charged until their reader has taken them. `onEnd` is called when it has them all, or has gone. */
export function paidOut(pieces: Iterable<Uint8Array<ArrayBuffer>>, account: Account, onEnd: () => void): ReadableStream<Uint8Array<ArrayBuffer>> {
  const left = pieces[Symbol.iterator]();
  return new ReadableStream<Uint8Array<ArrayBuffer>>(
    {
      pull(controller) {
        const { done, value } = left.next();
        if (done === true) {
          controller.close();
          return onEnd();
        }
        account.give(value.length);
        controller.enqueue(value);
      },
      cancel: onEnd,
    },
    { highWaterMark: 0 },
  );
}

/** A large body in parts that a reader takes one at a time. */
export function* slices(body: Uint8Array<ArrayBuffer>): Generator<Uint8Array<ArrayBuffer>> {
  for (let at = 0; at < body.length; at += sliceBytes) yield body.subarray(at, at + sliceBytes);
}

/** Pieces that are let go of as they are taken. */
export function* shifted(pieces: Uint8Array<ArrayBuffer>[]): Generator<Uint8Array<ArrayBuffer>> {
  for (let piece = pieces.shift(); piece !== undefined; piece = pieces.shift()) yield piece;
}
