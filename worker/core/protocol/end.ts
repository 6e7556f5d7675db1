import { Fields } from "./fields.ts";
import type { Code } from "./code.ts";

/** One error detail: a message type's full name, and its bytes as they came. */
export interface Detail {
  readonly type: string;
  readonly value: Uint8Array;
  /** Connect's optional rendering for people, kept where it came along. */
  readonly debug?: unknown;
}

/** How an RPC finished, whatever the dialect says it with. */
export interface End {
  readonly code: Code;
  readonly message: string;
  readonly details: readonly Detail[];
  /** The details as gRPC-Web brought them, a `google.rpc.Status` in base64: what speaks it gets it untouched. Who changes code, message or details leaves it out. */
  readonly statusDetails?: string;
  /** Trailing metadata. Names that a dialect owns (`grpc-status`, …) are not among them. */
  readonly metadata: Fields;
  /** Set where the origin's end could not be read or never came, and this one stands in its place. */
  readonly madeUp?: true;
  /** Set where HTTP 429 came in the place of a code. */
  readonly limited?: true;
}

/** Shared, and never changed: a Fields object for every call would be felt. */
const noMetadata = new Fields();

export function okEnd(metadata: Fields = noMetadata): End {
  return { code: "ok", message: "", details: [], metadata };
}

/** Stands for an end that only the caller can open, and gets as it is. */
export function sealedEnd(): End {
  return { ...errorEnd("unknown", "the end is in an encoding of the caller's"), madeUp: true };
}

export function errorEnd(code: Code, message: string, metadata: Fields = new Fields()): End {
  return { code, message, details: [], metadata };
}
