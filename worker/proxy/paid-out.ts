import { FailureError } from "../core/failure.ts";
import type { Call } from "./call.ts";
import { whenOver } from "./lifetime.ts";

const sliceBytes = 64 * 1024;

/**
 * Bytes that stay charged until their reader has taken them, or the call is over: then the reader is cut off. `onEnd` is
 * called when it has them all, has gone, or is cut off.
 */
export function paidOut(pieces: Iterable<Uint8Array<ArrayBuffer>>, { account, life }: Pick<Call, "account" | "life">, onEnd: () => void): ReadableStream<Uint8Array<ArrayBuffer>> {
  const left = pieces[Symbol.iterator]();
  let unwatch = (): void => {};
  const end = (): void => {
    unwatch();
    onEnd();
  };
  return new ReadableStream<Uint8Array<ArrayBuffer>>(
    {
      start(controller) {
        unwatch = whenOver(life, () => {
          controller.error(new FailureError(life.failure() ?? { kind: "deadline" }));
          end();
        });
      },
      pull(controller) {
        const { done, value } = left.next();
        if (done === true) {
          controller.close();
          return end();
        }
        account.give(value.length);
        controller.enqueue(value);
      },
      cancel: end,
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
