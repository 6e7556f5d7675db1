import type { Ports } from "../../worker/proxy/ports.ts";
import type { Clock } from "./clock.ts";
import { type SigningKey, token, type TokenParts } from "./issuer.ts";

/** How an identity provider may be away. */
export type Away = "refused" | "silent" | "HTTP 503" | "HTML";

/** An identity provider at the other end of `Ports.fetch`, whose answers take 40 ms. */
export interface Provider {
  readonly fetch: Ports["fetch"];
  /** How often its keys were asked for. */
  asked(): number;
  publish(keys: readonly SigningKey[]): void;
  signWith(key: SigningKey): void;
  /** null: it is back. */
  away(how: Away | null): void;
  token(parts?: TokenParts): Promise<string>;
}

export function provider(clock: Clock, first: SigningKey): Provider {
  let published: readonly SigningKey[] = [first];
  let signing = first;
  let away: Away | null = null;
  let asked = 0;
  return {
    async fetch(_url, signal) {
      asked++;
      await clock.wait(40);
      switch (away) {
        case "refused": return { failure: "Connection refused" };
        case "silent": return new Promise((resolve) => signal.addEventListener("abort", () => resolve({ failure: "aborted" })));
        case "HTTP 503": return { status: 503, body: bodyOf(JSON.stringify({ keys: [] })) };
        case "HTML": return { status: 200, body: bodyOf("<p>We will be back soon") };
        case null: return { status: 200, body: bodyOf(JSON.stringify({ keys: published.map(({ publicJwk }) => publicJwk) })) };
      }
    },
    asked: () => asked,
    publish: (keys) => void (published = keys),
    signWith: (key) => void (signing = key),
    away: (how) => void (away = how),
    token: (parts) => token(signing, clock.now(), parts),
  };
}

function bodyOf(text: string): ReadableStream<Uint8Array<ArrayBuffer>> {
  return new Response(text).body as ReadableStream<Uint8Array<ArrayBuffer>>;
}
