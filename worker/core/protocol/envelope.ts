import type { Failure } from "../failure.ts";

/**
 * The 5-byte prefix and its message, the same in Connect streams and gRPC-Web: flags, then the length as 32 bits
 * big-endian. https://connectrpc.com/docs/protocol#streaming-rpcs
 * https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-WEB.md
 */
export const prefixLength = 5;
export const flagCompressed = 0x01;
/** Connect: the message is the end of the stream, in JSON. */
export const flagConnectEnd = 0x02;
/** gRPC-Web: the message is the block of trailers. */
export const flagTrailer = 0x80;

export interface Envelope {
  readonly flags: number;
  readonly data: Uint8Array<ArrayBuffer>;
}

/** Writes one envelope. */
export function writeEnvelope(flags: number, data: Uint8Array): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(prefixLength + data.length);
  bytes.set(envelopePrefix(flags, data.length));
  bytes.set(data, prefixLength);
  return bytes;
}

/** The 5 bytes before a message of this length. */
export function envelopePrefix(flags: number, length: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(prefixLength);
  bytes[0] = flags;
  new DataView(bytes.buffer).setUint32(1, length);
  return bytes;
}

/** Splits a whole body, into so many envelopes at most. What follows the last one is `rest` (empty in a well-formed body). */
export function splitEnvelopes(body: Uint8Array<ArrayBuffer>, most = Infinity): { envelopes: Envelope[]; rest: Uint8Array<ArrayBuffer> } {
  const envelopes: Envelope[] = [];
  let at = 0;
  while (body.length - at >= prefixLength && envelopes.length < most) {
    const length = (body[at + 1]! * 0x1000000) + ((body[at + 2]! << 16) | (body[at + 3]! << 8) | body[at + 4]!);
    const end = at + prefixLength + length;
    if (end > body.length) break;
    envelopes.push({ flags: body[at]!, data: body.subarray(at + prefixLength, end) });
    at = end;
  }
  return { envelopes, rest: body.subarray(at) };
}

/** What to do with an envelope whose prefix has been read: let its bytes through, gather the message first, or refuse it. */
export type Judgement = "relay" | "hold" | Failure;

/** A piece of a skimmed stream: bytes to let through as they are, a message that was gathered, or why it goes no further. */
export type Piece =
  | { readonly kind: "relay"; readonly bytes: Uint8Array<ArrayBuffer> }
  | { readonly kind: "held"; readonly envelope: Envelope }
  | { readonly kind: "refused"; readonly failure: Failure };

export interface Skimmer {
  /** Takes the next chunk; gives its pieces in order, each when it is asked for: there may be a hundred thousand. Relayed bytes are views into the chunk. */
  push(chunk: Uint8Array<ArrayBuffer>): Generator<Piece, void, undefined>;
  /** Bytes of memory that the message which is being gathered takes by now. */
  heldBytes(): number;
  /** Whether the stream so far ends at an envelope's border. */
  atBorder(): boolean;
  /** Whether part of an envelope has been let through, so that nothing can be put in before its rest. */
  midRelay(): boolean;
}

/**
 * Finds the envelopes in a stream of chunks without copying what is only relayed. No memory follows a declared
 * length: a held message grows with the bytes that have come. After a refusal nothing more is to be pushed.
 */
export function skimmer(judge: (flags: number, length: number) => Judgement): Skimmer {
  const head = new Uint8Array(prefixLength);
  let headLength = 0;
  let remaining = 0;
  let holding = false;
  let held = new Uint8Array(0);
  let heldLength = 0;

  function hold(bytes: Uint8Array): void {
    if (heldLength + bytes.length > held.length) {
      const grown = new Uint8Array(Math.min(Math.max(2 * held.length, heldLength + bytes.length), heldLength + remaining));
      grown.set(held.subarray(0, heldLength));
      held = grown;
    }
    held.set(bytes, heldLength);
    heldLength += bytes.length;
  }

  function* push(chunk: Uint8Array<ArrayBuffer>): Generator<Piece, void, undefined> {
    let at = 0;
    let relayFrom = 0;
    function* flush(to: number): Generator<Piece, void, undefined> {
      if (to > relayFrom) yield { kind: "relay", bytes: chunk.subarray(relayFrom, to) };
    }
    while (at < chunk.length) {
      if (headLength < prefixLength) {
        const fresh = headLength === 0;
        const start = at;
        while (headLength < prefixLength && at < chunk.length) head[headLength++] = chunk[at++]!;
        const whole = fresh && headLength === prefixLength;
        if (!whole) {
          yield* flush(start);
          relayFrom = at;
        }
        if (headLength < prefixLength) break;
        remaining = head[1]! * 0x1000000 + ((head[2]! << 16) | (head[3]! << 8) | head[4]!);
        const judgement = judge(head[0]!, remaining);
        holding = judgement !== "relay";
        if (holding) {
          yield* flush(whole ? start : at);
          relayFrom = at;
          if (typeof judgement === "object") return yield { kind: "refused", failure: judgement };
        } else if (!whole) {
          yield { kind: "relay", bytes: head.slice() };
        }
      }
      const take = Math.min(remaining, chunk.length - at);
      if (holding) {
        hold(chunk.subarray(at, at + take));
        relayFrom = at + take;
      }
      at += take;
      remaining -= take;
      if (remaining > 0) break;
      const whole: Envelope | undefined = holding ? { flags: head[0]!, data: held.subarray(0, heldLength) } : undefined;
      if (heldLength > 0) held = new Uint8Array(0);
      heldLength = 0;
      headLength = 0;
      holding = false;
      if (whole !== undefined) yield { kind: "held", envelope: whole };
    }
    yield* flush(chunk.length);
  }

  return {
    push,
    heldBytes: () => held.length,
    atBorder: () => headLength === 0,
    midRelay: () => headLength === prefixLength && !holding,
  };
}

/** Text as UTF-8. */
export function utf8(text: string): Uint8Array<ArrayBuffer> {
  return encoder.encode(text) as Uint8Array<ArrayBuffer>;
}

/** UTF-8 as text; what is none becomes U+FFFD. */
export function fromUtf8(bytes: Uint8Array): string {
  return decoder.decode(bytes);
}

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** Joins chunks; a single one is given back as it is. */
export function concat(chunks: readonly Uint8Array<ArrayBuffer>[]): Uint8Array<ArrayBuffer> {
  if (chunks.length === 1) return chunks[0]!;
  const bytes = new Uint8Array(chunks.reduce((sum, c) => sum + c.length, 0));
  let at = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, at);
    at += chunk.length;
  }
  return bytes;
}
