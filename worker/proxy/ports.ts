import type { RawPlace } from "../core/balance/place.ts";
import type { Refused } from "../core/balance/breaker.ts";
import type { ClientCertificate } from "../core/auth/certificate.ts";
import type { CompiledEndpoint } from "../core/config/compiled.ts";
import type { CompiledRateLimit } from "../core/config/compiled-auth.ts";
import type { Failure } from "../core/failure.ts";
import type { Fields, ReadableFields } from "../core/protocol/fields.ts";

/** The world, as the proxy sees it. A door (runtime/*) gives these; tests may give others. */
export interface Ports {
  readonly transport: Transport;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** Runs `then` after `ms` milliseconds, unless the function it gives back is called before. */
  readonly after: (ms: number, then: () => void) => () => void;
  /**
   * Whether whatever a call has under way upstream ends by itself once its reply has been sent or its caller has gone,
   * as it does on workerd. Elsewhere a signal ends it.
   */
  readonly endsWithReply: boolean;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  /** Takes what an operator should know; never tokens, never bodies. */
  readonly log: (entry: LogEntry) => void;
  /** The value of a secret by its name; undefined where it is not set. */
  readonly secret: (name: string) => string | undefined;
  /** Documents that isolates share; null where there is no such place. */
  readonly store: Store | null;
  /** Gets a document of somebody else's; nothing is followed, cached or sent along. Never throws. */
  readonly fetch: (url: string, signal: AbortSignal) => Promise<Fetched | { readonly failure: string }>;
  /** The rate limiter of this name, where the platform has one. */
  readonly limiter: (name: string) => Limiter | undefined;
  /** What isolates that are near each other share at once; null where an isolate is by itself. */
  readonly board: Board | null;
  /** Who counts for all isolates together; null where nobody does. */
  readonly tally: Tally | null;
}

/** Counts exactly, at the cost of a round trip. Whatever it is asked may be answered late, or never, or reject. */
export interface Tally {
  /** Leases of the cluster of this name; null where nobody holds them. */
  readonly leases: ((cluster: string) => SharedLeases) | null;
  /** Counts a call to an account of a limit; how many milliseconds it has to wait, 0 where it may pass. Accounts are named by at least one hex digit. */
  readonly count: (limit: CompiledRateLimit, account: string) => Promise<number>;
}

/** `Lender`, from afar. */
export interface SharedLeases {
  /** For `ms` milliseconds at most. */
  begin(ms: number): Promise<{ readonly call: number } | Refused>;
  further(call: number, ended: readonly number[]): Promise<{ readonly attempt: number } | Refused | undefined>;
  answered(call: number, attempt: number): Promise<void>;
  end(call: number): Promise<void>;
}

/** One small document of a data centre, which whoever wrote last has written, and which may be gone at any time. */
export interface Board {
  read(): Promise<Uint8Array | null>;
  write(bytes: Uint8Array<ArrayBuffer>): Promise<void>;
}

export interface Fetched {
  readonly status: number;
  readonly body: ReadableStream<Uint8Array<ArrayBuffer>> | null;
}

/** Counts calls of a key, and says whether one more may pass. */
export interface Limiter {
  limit(call: { readonly key: string }): Promise<{ readonly success: boolean }>;
}

/** Documents by key. What is put is seen elsewhere later, on Cloudflare after a minute or so. */
export interface Store {
  get(key: string): Promise<Uint8Array | null>;
  put(key: string, bytes: Uint8Array): Promise<void>;
}

export interface LogEntry {
  readonly level: "info" | "warn" | "error";
  readonly event: string;
  readonly [field: string]: unknown;
}

/** One request to an origin. */
export interface UpstreamRequest {
  readonly endpoint: CompiledEndpoint;
  readonly method: "GET" | "POST";
  /** Path and query, without the endpoint's prefix. */
  readonly path: string;
  readonly headers: Fields;
  readonly body: Uint8Array<ArrayBuffer> | ReadableStream<Uint8Array> | null;
  /** Whether it must not reach the origin twice. */
  readonly once: boolean;
  readonly signal: AbortSignal | null;
}

/** An origin's answer: its head, its body as it comes, and its HTTP trailers where the transport sees them. */
export interface UpstreamReply {
  readonly status: number;
  readonly headers: ReadableFields;
  /** Its body is got at only when it is asked for: on workerd a stream object costs, used or not. */
  readonly source: BodySource;
  readonly trailers: Promise<Fields> | null;
  /** What it means when the body breaks off. */
  readonly broken: Failure;
}

/** A body to be read: a Request's, or that of an origin's reply. */
export interface BodySource {
  readonly body: ReadableStream<Uint8Array<ArrayBuffer>> | null;
  /** The body whole, read natively. */
  arrayBuffer(): Promise<ArrayBuffer>;
}

/** Sends one request. A failure says whether the request may have reached the origin. Never throws. */
export type Transport = (request: UpstreamRequest) => Promise<UpstreamReply | { readonly failure: Failure }>;

/** Has the runtime finish work that goes on when the reply has been sent. */
export type Keep = (work: Promise<unknown>) => void;

/** What a door knows of a connection. */
export interface ConnectionFacts {
  readonly keep: Keep;
  /** The caller's address where the door can vouch for it, or null. */
  readonly clientAddress: () => string | null;
  /** Where the caller is, where the platform knows, or null. */
  readonly place: () => RawPlace | null;
  /** The client certificate that the platform has verified, or null. */
  readonly clientCertificate: () => ClientCertificate | null;
  /** Fires when the caller leaves, where the runtime does not end the work by itself. */
  readonly left: () => AbortSignal | null;
}
