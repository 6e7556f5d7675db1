import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { concat, type Envelope, skimmer, splitEnvelopes, writeEnvelope } from "../../../worker/core/protocol/envelope.ts";

const message = fc.record({ flags: fc.constantFrom(0, 1, 2, 0x80), data: fc.uint8Array({ maxLength: 300 }) });

/** A body cut into chunks at the given places. */
function chunks(body: Uint8Array<ArrayBuffer>, cuts: number[]): Uint8Array<ArrayBuffer>[] {
  const at = [0, ...cuts.map((cut) => cut % (body.length + 1)).sort((a, b) => a - b), body.length];
  return at.slice(1).map((to, i) => body.slice(at[i]!, to));
}

describe("splitting a whole body", () => {
  test("gives back the envelopes that were written, and whatever stands behind them", () => {
    fc.assert(
      fc.property(fc.array(message), fc.uint8Array({ maxLength: 4 }), (messages, tail) => {
        const body = concat([...messages.map(({ flags, data }) => writeEnvelope(flags, data)), tail as Uint8Array<ArrayBuffer>]);
        const { envelopes, rest } = splitEnvelopes(body);
        expect(envelopes.map(({ flags, data }) => [flags, [...data]])).toEqual(messages.map(({ flags, data }) => [flags, [...data]]));
        expect([...rest]).toEqual([...tail]);
      }),
    );
  });

  test("does not believe a declared length that the body does not have", () => {
    const { envelopes, rest } = splitEnvelopes(Uint8Array.of(0, 0xff, 0xff, 0xff, 0xff, 1));
    expect(envelopes).toEqual([]);
    expect(rest.length).toBe(6);
  });
});

describe("skimming a stream", () => {
  test("relays and gathers the same bytes wherever the chunks are cut", () => {
    fc.assert(
      fc.property(fc.array(message, { maxLength: 8 }), fc.array(fc.nat(), { maxLength: 30 }), (messages, cuts) => {
        const body = concat([new Uint8Array(0), ...messages.map(({ flags, data }) => writeEnvelope(flags, data))]);
        const skim = skimmer((flags) => (flags === 0 || flags === 1 ? "relay" : "hold"));
        const relayed: number[] = [];
        const held: Envelope[] = [];
        for (const chunk of chunks(body, cuts)) {
          for (const piece of skim.push(chunk)) {
            if (piece.kind === "relay") relayed.push(...piece.bytes);
            else if (piece.kind === "held") held.push(piece.envelope);
          }
        }
        const low = messages.filter(({ flags }) => flags < 2);
        const high = messages.filter(({ flags }) => flags >= 2);
        expect(relayed).toEqual(low.flatMap(({ flags, data }) => [...writeEnvelope(flags, data)]));
        expect(held.map(({ flags, data }) => [flags, ...data])).toEqual(high.map(({ flags, data }) => [flags, ...data]));
        expect(skim.atBorder()).toBe(true);
      }),
    );
  });

  test("tells whether an envelope may be put in: at a border and inside a prefix, never behind half a message", () => {
    const skim = skimmer(() => "relay");
    const take = (chunk: Uint8Array<ArrayBuffer>) => [...skim.push(chunk)];
    take(Uint8Array.of(0, 0));
    expect([skim.atBorder(), skim.midRelay()]).toEqual([false, false]);
    take(Uint8Array.of(0, 0, 2, 7));
    expect([skim.atBorder(), skim.midRelay()]).toEqual([false, true]);
    take(Uint8Array.of(7));
    expect([skim.atBorder(), skim.midRelay()]).toEqual([true, false]);
  });

  test("refuses an envelope on its prefix, behind what came before it, and an end may then be put in", () => {
    const failure = { kind: "message-too-large", limit: 10 } as const;
    const skim = skimmer((_flags, length) => (length > 10 ? failure : "relay"));
    const pieces = [...skim.push(Uint8Array.of(0, 0, 0, 0, 1, 7, 0, 0xff, 0xff, 0xff, 0xff))];
    expect(pieces).toEqual([{ kind: "relay", bytes: Uint8Array.of(0, 0, 0, 0, 1, 7) }, { kind: "refused", failure }]);
    expect(skim.midRelay()).toBe(false);
  });
});
