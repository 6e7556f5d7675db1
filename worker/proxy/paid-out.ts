import type { Account } from "./budget.ts";

const sliceBytes = 64 * 1024;

/** A large body that stays charged until its reader has taken it, or has gone. */
export function paidOut(body: Uint8Array, account: Account): ReadableStream<Uint8Array> {
  let at = 0;
  return new ReadableStream<Uint8Array>(
    {
      pull(controller) {
        controller.enqueue(body.subarray(at, at + sliceBytes));
        at += sliceBytes;
        if (at < body.length) return;
        controller.close();
        account.release();
      },
      cancel: () => account.release(),
    },
    { highWaterMark: 0 },
  );
}
