import type { Fields } from "../core/protocol/fields.ts";
import type { Principal } from "../core/auth/principal.ts";
import type { Chosen } from "../core/balance/explain.ts";
import type { Ask, Picked } from "../core/balance/pick.ts";
import type { Snapshot } from "../core/balance/snapshot.ts";
import type { CompiledMethod, CompiledRoute } from "../core/config/compiled.ts";
import type { CompiledPolicy } from "../core/config/compiled-auth.ts";
import type { WireForm } from "../core/protocol/dialect.ts";
import type { End } from "../core/protocol/end.ts";
import type { GetQuery } from "../core/protocol/connect-get.ts";
import type { ByName } from "../core/protocol/metadata.ts";
import type { Account } from "./budget.ts";
import type { Lifetime } from "./lifetime.ts";
import type { ConnectionFacts } from "./ports.ts";

/** A call on its way through the proxy: its head, and its body still unread. */
export interface Call {
  readonly request: Request;
  readonly facts: ConnectionFacts;
  /** The request's URL, and its Host where it names one, as they came. */
  readonly url: string;
  readonly authority: string | undefined;
  /** The caller's dialect and codec. The text mode of gRPC-Web is undone at the door: `grpc-web` here. */
  readonly form: WireForm;
  /** How the caller wants gRPC-Web replies written. */
  readonly text: { readonly request: boolean; readonly reply: boolean };
  /** The query of a Connect GET. */
  readonly get: GetQuery | null;
  /** By which the proxy was called: in lower case, without port and without the dot that may end it. */
  readonly host: string;
  /** `/package.Service/Method` */
  readonly path: string;
  readonly route: CompiledRoute;
  /** What is known of the method, if anything. */
  readonly method: CompiledMethod | undefined;
  /** The length of the request's body in bytes, where its head tells it. */
  readonly declared: number | undefined;
  /** How request messages are compressed ("identity": not). */
  readonly encoding: string;
  /** The encodings that the caller takes in replies, or null where it names none. */
  readonly accepts: string | null;
  /** Request headers without what must not cross; layers may change them. */
  readonly metadata: Fields;
  /** Headers that may speak of the caller, as they came. */
  readonly shown: ByName;
  readonly caller: Caller;
  /** Whether the caller gave a time-out. */
  readonly timed: boolean;
  readonly life: Lifetime;
  readonly account: Account;
  readonly trace: Trace;
}

/** Who calls, written by whoever found it out. */
export interface Caller {
  /** Undefined where nobody has vouched for the caller, or nobody asked. */
  principal?: Principal;
  /** It may call by something that does not hold for everybody: its replies are its own, errors too. */
  guarded?: boolean;
  /** Makes a token that tells a cluster (by name) who calls, where origins are told so. */
  token?: (cluster: string) => Promise<string>;
}

/** What was done with a call, written as it goes: for whoever explains or logs it. */
export interface Trace {
  /** The policy by which it may pass, or may not, and why not. */
  policy?: CompiledPolicy | undefined;
  refused?: string;
  /** Index of the cluster that it belongs to; the snapshot from which all of this was picked, and by what of the call. */
  cluster?: number;
  snapshot?: Snapshot;
  ask?: Ask;
  /** Where it went. */
  picked?: Chosen;
  /** An origin has begun to answer. */
  answered?: boolean;
  /** Settles when nobody reads the request stream any more. */
  released?: Promise<void>;
  /** All endpoints that it was sent to, in order. */
  attempts?: readonly Picked[];
}

/** What goes back to the caller, in the caller's dialect. Layers may change its headers. */
export interface Reply {
  readonly status: number;
  readonly headers: Fields;
  readonly body: BodyInit | null;
  /** How the RPC finished; a promise while a stream goes on. */
  readonly end: End | Promise<End>;
  /** The reply may come before the request has been read. */
  readonly early?: boolean;
}

/** One message that is known to be the only one. */
export interface Message {
  readonly data: Uint8Array<ArrayBuffer>;
  /** "identity", or the encoding that `data` is compressed with. */
  readonly encoding: string;
}
