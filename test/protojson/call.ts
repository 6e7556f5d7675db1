import { splitEnvelopes, utf8, writeEnvelope } from "../../worker/core/protocol/envelope.ts";

export type Kind = "unary" | "client stream" | "server stream" | "bidi stream";

const methods = { unary: "Unary", "client stream": "ClientStream", "server stream": "ServerStream", "bidi stream": "BidiStream" } as const satisfies Record<Kind, string>;
export const kinds = Object.keys(methods) as Kind[];

/** What a caller gets: the HTTP status, the end's code ("ok" without an error), and the messages as JSON values. */
export interface Outcome {
  readonly status: number;
  readonly code: string;
  readonly messages: readonly unknown[];
}

/**
 * Calls the echo service in Connect's JSON with the texts of its messages; a unary call takes one. A server stream's
 * travel as a list in its request, a client stream's in its reply. Whatever breaks on the way is a code too.
 */
export async function call(url: string, kind: Kind, texts: readonly string[]): Promise<Outcome> {
  const streaming = kind !== "unary";
  const sent = kind === "server stream" ? [`{"messages":[${texts.join(",")}]}`] : texts;
  const body = streaming ? Buffer.concat(sent.map((text) => writeEnvelope(0, utf8(text)))) : Buffer.from(sent[0] ?? "");
  const headers = { "content-type": `application/${streaming ? "connect+" : ""}json`, "connect-protocol-version": "1" };
  try {
    const reply = await fetch(`${url}/test.protojson.v1.EchoService/${methods[kind]}`, { method: "POST", headers, body });
    const { status } = reply;
    const bytes = new Uint8Array(await reply.arrayBuffer());
    if (!streaming) {
      const json = read(bytes);
      return status === 200 ? { status, code: "ok", messages: [json] } : { status, code: codeOf(json), messages: [] };
    }
    const { envelopes, rest } = splitEnvelopes(bytes);
    const end = envelopes.at(-1);
    if (rest.length > 0 || end?.flags !== 2) return { status, code: "no end", messages: [] };
    const replies = envelopes.slice(0, -1).map(({ data }) => read(data));
    const messages = kind === "client stream" ? replies.flatMap((batch) => (batch as { messages?: unknown[] }).messages ?? []) : replies;
    const { error } = read(end.data) as { error?: unknown };
    return { status, code: error === undefined ? "ok" : codeOf(error), messages };
  } catch (error) {
    return { status: 0, code: `broken: ${String(error)}`, messages: [] };
  }
}

function read(bytes: Uint8Array): unknown {
  return JSON.parse(new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes));
}

function codeOf(error: unknown): string {
  return (error as { code?: string }).code ?? "no code";
}
