import { Agent, type IncomingMessage, request } from "node:http";
import { flagTrailer, splitEnvelopes, writeEnvelope } from "../../worker/core/protocol/envelope.ts";
import { endFromTrailerBlock, endFromTrailers } from "../../worker/core/protocol/trailers.ts";
import { callerAt, callPath, deadlineMs, endpoints, idHeader, message, now, perSecond, placeHeaders } from "./layout.ts";
import type { Wires } from "./wires.ts";

/** A call and how it ended; times in milliseconds since 1970. */
export interface Call {
  readonly id: number;
  /** When it had to begin; its latency is measured from then. */
  readonly due: number;
  readonly sent: number;
  readonly ended: number;
  /** "ok", a Connect code, "HTTP 500" where there is none, "no answer" past the deadline, or what befell the connection. */
  readonly outcome: string;
  /** Index of the endpoint that answered; -1 if the call failed. */
  readonly by: number;
}

/** The proxy's own deadline comes first; a caller whose proxy is silent gives up this much later, in milliseconds. */
const patience = 500;

/** How a call is written, and its end read from a reply that came whole. */
interface Speech {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
  /** The message of a good end; the code of any other; undefined where it says none. */
  readonly end: (head: IncomingMessage, body: Buffer) => { readonly message: Buffer } | { readonly code: string | undefined };
}

const speeches: Readonly<Record<Wires["callers"], Speech>> = {
  /** A good end is HTTP 200. https://connectrpc.com/docs/protocol/#unary-response */
  connect: {
    headers: { "content-type": "application/proto", "connect-protocol-version": "1", "connect-timeout-ms": String(deadlineMs) },
    body: message("drill"),
    end: ({ statusCode }, body) => (statusCode === 200 ? { message: body } : { code: /"code":\s*"(\w+)"/.exec(body.toString("latin1"))?.[1] }),
  },
  "grpc-web": {
    headers: { "content-type": "application/grpc-web+proto", "x-grpc-web": "1", "grpc-timeout": `${deadlineMs}m` },
    body: writeEnvelope(0, message("drill")),
    end({ statusCode, headers }, body) {
      if (statusCode !== 200) return { code: undefined };
      const { envelopes } = splitEnvelopes(new Uint8Array(body));
      const trailer = envelopes.find(({ flags }) => flags === flagTrailer);
      const end = trailer === undefined ? endFromTrailers(new Headers(Object.entries(headers).map(([name, value]) => [name, String(value)]))) : endFromTrailerBlock(trailer.data);
      const first = envelopes.find(({ flags }) => flags === 0);
      return end?.code === "ok" && first !== undefined ? { message: Buffer.from(first.data) } : { code: end?.code };
    },
  },
};

export interface Callers {
  /** One call now. */
  call(id: number): Promise<Call>;
  /** An open loop: `seconds` of calls at the given moments, however the ones before fare; all are waited for. */
  run(start: number, seconds: number): Promise<Call[]>;
  close(): void;
}

export function openCallers(url: string, speaking: Wires["callers"] = "connect"): Callers {
  const { headers, body, end: endOf } = speeches[speaking];
  // A connection that was idle for long may be closed by the other side just as a call goes out on it.
  const agent = new Agent({ keepAlive: true, maxSockets: Infinity, maxFreeSockets: 10_000, scheduling: "lifo", timeout: 2000 });
  const { hostname, port } = new URL(url);

  function call(id: number, due = now()): Promise<Call> {
    return new Promise((resolve) => {
      const sent = now();
      const end = (outcome: string, by = -1) => {
        clearTimeout(timer);
        resolve({ id, due, sent, ended: now(), outcome, by });
      };
      const outgoing = request({
        agent,
        hostname,
        port,
        path: callPath,
        method: "POST",
        headers: {
          ...headers,
          "content-length": String(body.length),
          [placeHeaders.latitude]: String(callerAt.lat),
          [placeHeaders.longitude]: String(callerAt.lng),
          [idHeader]: String(id),
        },
      });
      const timer = setTimeout(() => {
        end("no answer");
        outgoing.destroy();
      }, deadlineMs + patience);
      outgoing.once("response", (response) => void readEnd(response, endOf).then(({ outcome, by }) => end(outcome, by)));
      outgoing.on("error", (error: NodeJS.ErrnoException) => end(error.code ?? error.message));
      outgoing.end(body);
    });
  }

  return {
    call,
    run(start, seconds) {
      const calls: Promise<Call>[] = [];
      const due = (id: number) => start + (id * 1000) / perSecond;
      return new Promise((resolve) => {
        const wait = (until: number) => void setTimeout(tick, Math.max(0, until - now()));
        const tick = () => {
          while (calls.length < seconds * perSecond && due(calls.length) <= now()) calls.push(call(calls.length, due(calls.length)));
          if (calls.length === seconds * perSecond) resolve(Promise.all(calls));
          else wait(due(calls.length));
        };
        wait(start);
      });
    },
    close: () => agent.destroy(),
  };
}

const indexes = new Map(endpoints.map(({ name }, index) => [message(name).toString("latin1"), index]));

/** A good end has the whole reply of an endpoint. */
async function readEnd(response: IncomingMessage, endOf: Speech["end"]): Promise<{ outcome: string; by: number }> {
  const chunks: Buffer[] = [];
  try {
    for await (const chunk of response) chunks.push(chunk as Buffer);
  } catch (error) {
    return { outcome: (error as NodeJS.ErrnoException).code ?? String(error), by: -1 };
  }
  const end = endOf(response, Buffer.concat(chunks));
  if ("code" in end) return { outcome: end.code ?? `HTTP ${response.statusCode}`, by: -1 };
  const by = indexes.get(end.message.toString("latin1"));
  return by === undefined ? { outcome: "wrong reply", by: -1 } : { outcome: "ok", by };
}
