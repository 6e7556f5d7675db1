import { Agent, createServer, request as send, type IncomingHttpHeaders } from "node:http";
import { Transform } from "node:stream";
import { listen } from "./listen.ts";
import type { Address } from "./messages.ts";
import type { Running } from "./origin.ts";

/**
 * Stands between the suite's caller, which speaks gRPC-Web in binary, and the proxy, and speaks the text mode with the
 * proxy: base64 both ways, in pieces that are padded each for itself. A call in another content type goes through as
 * it is. A successful reply to a text call that is not in text becomes an HTTP 502.
 * https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-WEB.md
 */
export async function startTextShim(proxy: Address): Promise<Running> {
  const agent = new Agent({ keepAlive: true });
  const server = createServer((call, reply) => {
    const text = textType(call.headers["content-type"]);
    const headers = text === undefined ? call.headers : textHeaders(call.headers, text);
    const upstream = send({ agent, host: proxy.host, port: proxy.port, method: call.method, path: call.url, headers });
    upstream.on("response", (answer) => {
      const type = answer.headers["content-type"] ?? "";
      const isText = type.startsWith(textPrefix);
      if (text !== undefined && answer.statusCode === 200 && !isText) {
        reply.writeHead(502, { "content-type": "text/plain" }).end(`the reply to ${text} is ${type || "without content type"}\n`);
        answer.resume();
        return;
      }
      const { "content-length": _, ...rest } = answer.headers;
      reply.writeHead(answer.statusCode ?? 500, isText ? { ...rest, "content-type": type.replace(textPrefix, binaryPrefix) } : answer.headers);
      reply.flushHeaders();
      const body = isText ? answer.pipe(fromText()).on("error", (error) => reply.destroy(error)) : answer;
      answer.on("error", () => reply.destroy());
      body.pipe(reply);
    });
    upstream.on("error", () => reply.destroy());
    reply.on("close", () => reply.writableFinished || upstream.destroy());
    (text === undefined ? call : call.pipe(toText())).pipe(upstream);
    upstream.flushHeaders();
  });
  return await listen(server, () => agent.destroy());
}

const binaryPrefix = "application/grpc-web";
const textPrefix = `${binaryPrefix}-text`;

/** The text mode's name for a binary content type, or undefined where it has none. */
function textType(contentType: string | undefined): string | undefined {
  const [, codec] = /^application\/grpc-web(\+proto|\+json)?$/.exec(contentType ?? "") ?? [undefined, null];
  return codec === null ? undefined : textPrefix + (codec ?? "");
}

function textHeaders(headers: IncomingHttpHeaders, type: string): IncomingHttpHeaders {
  const { "content-length": _, ...rest } = headers;
  return { ...rest, "content-type": type, accept: type };
}

/** Bytes to base64, so cut that padding stands in the middle and that a chunk ends inside a quantum. */
function toText(): Transform {
  return new Transform({
    transform(chunk: Buffer, _, done) {
      for (const piece of pieces(chunk, [1, 7, 5, 1001, 3, 65537])) {
        const text = piece.toString("base64");
        this.push(text.slice(0, 3));
        this.push(text.slice(3));
      }
      done();
    },
  });
}

function* pieces(chunk: Buffer, sizes: readonly number[]): Generator<Buffer> {
  for (let at = 0, turn = 0; at < chunk.length; turn++) {
    const size = sizes[turn % sizes.length] ?? 1;
    yield chunk.subarray(at, at + size);
    at += size;
  }
}

/** Base64 to bytes, four characters at a time, since padding may stand anywhere. */
function fromText(): Transform {
  let rest = "";
  return new Transform({
    transform(chunk: Buffer, _, done) {
      const text = rest + chunk.toString("latin1");
      const whole = text.length - (text.length % 4);
      rest = text.slice(whole);
      const quanta = text.slice(0, whole).match(/.{4}/gs) ?? [];
      const wrong = quanta.find((quantum) => !/^[A-Za-z0-9+/]{2}(?:[A-Za-z0-9+/]{2}|[A-Za-z0-9+/]=|==)$/.test(quantum));
      if (wrong !== undefined) return done(new Error(`not base64: ${JSON.stringify(wrong)}`));
      done(null, Buffer.concat(quanta.map((quantum) => Buffer.from(quantum, "base64"))));
    },
    flush(done) {
      done(rest === "" ? null : new Error(`base64 ends inside a quantum: ${JSON.stringify(rest)}`));
    },
  });
}
