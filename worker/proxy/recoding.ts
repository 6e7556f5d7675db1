import { type Failure, FailureError } from "../core/failure.ts";
import type { MethodRecoder, Recode } from "../core/schema/recode.ts";
import type { Account } from "./budget.ts";
import type { Message } from "./call.ts";

/** Recoders by method path, loaded when the first call needs one: most proxies never recode, and none pays for it at its start. */
export interface Recoding {
  /** To be awaited before `of`, where it is a promise. */
  load(): Promise<void> | undefined;
  of(path: string): MethodRecoder | undefined;
}

/** `descriptors` is a FileDescriptorSet in base64, or null where there is none. */
export function recoding(descriptors: string | null): Recoding {
  let find: ((path: string) => MethodRecoder | undefined) | undefined;
  return {
    load() {
      if (find !== undefined || descriptors === null) return undefined;
      return import("../core/schema/recode.ts").then(({ recoders }) => void (find ??= recoders(descriptors)));
    },
    of: (path) => find?.(path),
  };
}

/** Recodes a message on an account: what that takes is held until it is done. Throws `over-budget`, or what `failed` makes of any other error. */
export function recodeOn(account: Account, recode: Recode, data: Uint8Array<ArrayBuffer>, failed: (error: unknown) => Failure): Uint8Array<ArrayBuffer> {
  let held = 0;
  try {
    return recode(data, (bytes) => {
      account.charge(bytes);
      held += bytes;
    });
  } catch (error) {
    throw error instanceof FailureError ? error : new FailureError(failed(error));
  } finally {
    account.give(held);
  }
}

/** A message that takes the place of another one on the account: what it is longer by is charged until the call is over. */
export function longer(before: Message, after: Message, account: Account): Message {
  if (after.data.length > before.data.length) account.charge(after.data.length - before.data.length);
  return after;
}
