import { Agent, createServer, request as send, type IncomingMessage, type ServerResponse } from "node:http";
import type { Readable } from "node:stream";
import { listen } from "./listen.ts";
import type { Address } from "./messages.ts";
import type { Running } from "./origin.ts";

/** An answer of the hop's own, in the place of what was to pass. */
export interface Refusal {
  readonly status: number;
  readonly why: string;
}

/** What goes on: headers as Node's flat list of names and values, and a body. */
export interface Passing {
  readonly headers: string[];
  readonly body: Readable;
}

/** What a hop does with one call, and then with the reply to it. */
export type Judge = (call: IncomingMessage) => Refusal | (Passing & { reply(answer: IncomingMessage): Refusal | Passing });

/** Lets a message through as it is. */
export function untouched(message: IncomingMessage): Passing {
  return { headers: message.rawHeaders, body: message };
}

/** A server that passes each call on to `target` as `judge` says. Either side that is cut cuts the other. */
export async function startHop(target: Address, judge: Judge): Promise<Running> {
  const agent = new Agent({ keepAlive: true });
  const server = createServer((call, reply) => {
    reply.sendDate = false;
    const onward = judge(call);
    if ("why" in onward) return refuse(reply, onward);
    const upstream = send({ agent, host: target.host, port: target.port, method: call.method, path: call.url, headers: onward.headers });
    upstream.on("error", () => reply.destroy());
    upstream.on("response", (answer) => {
      answer.on("error", () => reply.destroy());
      const back = onward.reply(answer);
      if ("why" in back) {
        answer.resume();
        return refuse(reply, back);
      }
      reply.writeHead(answer.statusCode ?? 500, back.headers);
      reply.flushHeaders();
      back.body.on("error", () => reply.destroy()).pipe(reply);
    });
    reply.on("close", () => reply.writableFinished || upstream.destroy());
    upstream.flushHeaders();
    onward.body.on("error", () => upstream.destroy()).pipe(upstream);
  });
  return await listen(server, () => agent.destroy());
}

function refuse(reply: ServerResponse, { status, why }: Refusal): void {
  reply.writeHead(status, { "content-type": "text/plain" }).end(`${why}\n`);
}
