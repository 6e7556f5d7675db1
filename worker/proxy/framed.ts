import { type Failure, FailureError, failureOf } from "../core/failure.ts";
import { concat, type Envelope, type Judgement, skimmer } from "../core/protocol/envelope.ts";
import { byteReader } from "./byte-reader.ts";
import type { Call } from "./call.ts";
import { type Lifetime, whenOver } from "./lifetime.ts";
import type { Ports } from "./ports.ts";

/** How a stream of envelopes is skimmed on its way. */
export interface Framing {
  /** Whether an envelope is let through, gathered or refused. */
  readonly judge: (flags: number, length: number) => Judgement;
  /** What a gathered envelope becomes: bytes to send on, or null for none. May throw a FailureError. */
  readonly held: (envelope: Envelope) => Promise<Uint8Array<ArrayBuffer> | null> | Uint8Array<ArrayBuffer> | null;
  /**
   * The source has ended, or failed: last bytes to send, or null to break the stream off (the other side then sees that
   * it is cut). `clean` tells that an envelope may still be written.
   */
  readonly finish: (failure: Failure | undefined, clean: boolean) => Uint8Array<ArrayBuffer> | null;
  /** Awaited before the stream ends because its source has. */
  readonly settle?: (() => Promise<void>) | undefined;
  /** Whether the stream has ended though its source may go on. */
  readonly over?: () => boolean;
  /**
   * The source is a request: where the call ends early, what is left of it has to be drained, and is not cancelled. Called once nobody
   * reads it here any more.
   */
  readonly released?: () => void;
  /** What is written at a message's border where the stream is broken off there and would look whole. */
  readonly torn?: () => Uint8Array<ArrayBuffer> | undefined;
  /** Decodes chunks before they are skimmed (grpc-web-text). */
  readonly decode?: (chunk: Uint8Array<ArrayBuffer>) => Uint8Array<ArrayBuffer>;
}

/**
 * Relays envelopes from `source`, one read for one pull, so that a slow reader slows the source and nothing piles up.
 * Ends by `finish` in any case: source at its end, source broken, or the call over. `broken` is what a broken source means; default: the origin is
 * not there.
 */
export function relayFramed(
  source: ReadableStream<Uint8Array<ArrayBuffer>>,
  framing: Framing,
  { life, account }: Pick<Call, "life" | "account">,
  onMove: () => void,
  broken?: Failure,
): ReadableStream<Uint8Array<ArrayBuffer>> {
  const reader = byteReader(source);
  const skim = skimmer(framing.judge);
  const out = joined();
  let ended = false;
  let cancelled = false;
  let reading = false;

  function end(controller: ReadableStreamDefaultController<Uint8Array<ArrayBuffer>>, failure: Failure | undefined, over = false): void {
    if (ended) return;
    ended = true;
    unwatch();
    out.flush(controller);
    const last = framing.finish(failure, over || (failure === undefined ? skim.atBorder() : !skim.midRelay()));
    const torn = last === null && !skim.midRelay() ? framing.torn?.() : undefined;
    if (torn !== undefined) {
      controller.enqueue(torn);
      if (!cancelled) controller.close();
    } else if (last === null) {
      controller.error(new FailureError(failure ?? { kind: "malformed-reply", what: "it ends inside a message" }));
    } else {
      if (last.length > 0) controller.enqueue(last);
      // The reader may have gone while it was handed the last bytes.
      if (!cancelled) controller.close();
    }
    if (framing.released !== undefined) return letGo();
    // An upstream call does not always end by its signal: on Deno one whose head has come may go on, once memory has been collected.
    if (failure !== undefined) life.nextTurn(() => reader.cancel());
  }

  /** Ends it once what it has to wait for has settled. */
  async function settle(controller: ReadableStreamDefaultController<Uint8Array<ArrayBuffer>>, failure: Failure | undefined, over = false): Promise<void> {
    out.flush(controller);
    await framing.settle?.();
    end(controller, failure, over);
  }

  /** Of a request, whose reader nobody may take over while a read is pending. */
  function letGo(): void {
    if (reading) return;
    reader.release();
    framing.released?.();
  }

  let charged = 0;
  function charge(): void {
    const held = skim.heldBytes();
    if (held > charged) account.charge(held - charged);
    else account.give(charged - held);
    charged = held;
  }

  let unwatch = (): void => {};
  return new ReadableStream<Uint8Array<ArrayBuffer>>(
    {
      start(controller) {
        unwatch = whenOver(life, () => end(controller, life.failure()));
      },
      async pull(controller) {
        try {
          for (let sent = false; !sent; ) {
            reading = true;
            const value = await reader.read().finally(() => (reading = false));
            if (ended) return letGo();
            if (value === undefined) return await settle(controller, undefined);
            onMove();
            for (const piece of skim.push(framing.decode?.(value) ?? value)) {
              if (piece.kind === "refused") return await settle(controller, piece.failure);
              const bytes = piece.kind === "relay" ? piece.bytes : await framing.held(piece.envelope);
              if (ended) return;
              if (framing.over?.() === true) {
                await settle(controller, undefined, true);
                return reader.cancel();
              }
              if (bytes !== null) out.add(bytes);
            }
            charge();
            sent = out.flush(controller);
          }
        } catch (error) {
          if (ended) return letGo();
          await settle(controller, life.failure() ?? (error instanceof FailureError ? failureOf(error) : (broken ?? { kind: "transport", reached: "maybe", cause: String(error) })));
        }
      },
      cancel() {
        cancelled = true;
        if (ended) return;
        ended = true;
        unwatch();
        // Of a request it is the origin that has read enough: it may have answered already.
        if (framing.released !== undefined) return letGo();
        framing.finish({ kind: "left" }, false);
        reader.cancel();
      },
    },
    { highWaterMark: 0 },
  );
}

interface Joined {
  add(bytes: Uint8Array<ArrayBuffer>): void;
  /** Sends what was added, and says whether there was anything. */
  flush(to: ReadableStreamDefaultController<Uint8Array<ArrayBuffer>>): boolean;
}

/** Joins what is small, so that of a hundred thousand small messages there are not as many chunks. What is large is not copied. */
function joined(): Joined {
  let chunks: Uint8Array<ArrayBuffer>[] = [];
  let small: Uint8Array<ArrayBuffer>[] = [];
  let size = 0;
  function join(): void {
    if (size > 0) chunks.push(concat(small));
    small = [];
    size = 0;
  }
  return {
    add(bytes) {
      if (size + bytes.length > mostJoined) join();
      small.push(bytes);
      size += bytes.length;
    },
    flush(to) {
      join();
      const ready = chunks;
      chunks = [];
      for (const chunk of ready) to.enqueue(chunk);
      return ready.length > 0;
    },
  };
}

const mostJoined = 16 * 1024;

export interface IdleWatch {
  readonly moved: () => void;
  readonly stop: () => void;
}

/** Fails the call when nothing has moved for `ms`: call `moved` whenever something does. One timer, re-armed as it fires. */
export function idleWatch(ports: Ports, life: Lifetime, ms: number): IdleWatch {
  let last = ports.now();
  let cancel = ports.after(ms, check);
  function check(): void {
    const idle = ports.now() - last;
    if (idle >= ms) life.fail({ kind: "stream-idle" });
    else cancel = ports.after(ms - idle, check);
  }
  return { moved: () => void (last = ports.now()), stop: () => cancel() };
}
