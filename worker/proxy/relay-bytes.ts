import { FailureError } from "../core/failure.ts";
import { byteReader } from "./byte-reader.ts";
import type { Call } from "./call.ts";
import { whenOver } from "./lifetime.ts";

/**
 * Relays a body as it is, under the call's deadline: when the call is over, the body is cut. Neither runtime lets an
 * abort reach a body that was handed on natively. `onEnd` is called once, however it ends.
 */
export function relayBytes(
  source: ReadableStream<Uint8Array<ArrayBuffer>>,
  { life }: Pick<Call, "life">,
  onEnd: () => void,
): ReadableStream<Uint8Array<ArrayBuffer>> {
  const reader = byteReader(source);
  let ended = false;
  let unwatch = (): void => {};
  function end(): boolean {
    if (ended) return false;
    ended = true;
    unwatch();
    onEnd();
    return true;
  }
  return new ReadableStream<Uint8Array<ArrayBuffer>>(
    {
      start(controller) {
        unwatch = whenOver(life, () => {
          if (!end()) return;
          controller.error(new FailureError(life.failure() ?? { kind: "deadline" }));
          reader.cancel();
        });
      },
      async pull(controller) {
        try {
          const bytes = await reader.read();
          if (ended) return;
          if (bytes !== undefined) controller.enqueue(bytes);
          else if (end()) controller.close();
        } catch (error) {
          if (end()) controller.error(error);
        }
      },
      cancel() {
        end();
        reader.cancel();
      },
    },
    { highWaterMark: 0 },
  );
}
