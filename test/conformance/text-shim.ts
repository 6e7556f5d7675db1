import type { IncomingMessage } from "node:http";
import { Transform } from "node:stream";
import { startHop, untouched } from "./hop.ts";
import type { Address } from "./messages.ts";
import type { Running } from "./origin.ts";

/**
 * Stands between the suite's caller, which speaks gRPC-Web in binary, and the proxy, and speaks the text mode with the
 * proxy: base64 both ways, in pieces that are padded each for itself. A call in another content type goes through as
 * it is. A successful reply to a text call that is not in text becomes an HTTP 502.
 * https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-WEB.md
 */
export function startTextShim(proxy: Address): Promise<Running> {
  return startHop(proxy, (call) => {
    const type = textType(call.headers["content-type"]);
    if (type === undefined) return { ...untouched(call), reply: untouched };
    const headers = [...without(call.rawHeaders, ["content-length", "content-type", "accept"]), "content-type", type, "accept", type];
    return { headers, body: call.pipe(toText()), reply: binaryReply };
  });
}

const textPrefix = "application/grpc-web-text";

/** The text mode's name for a binary content type, or undefined where it has none. */
function textType(contentType: string | undefined): string | undefined {
  const match = /^application\/grpc-web(\+proto|\+json)?$/.exec(contentType ?? "");
  return match === null ? undefined : textPrefix + (match[1] ?? "");
}

function binaryReply(answer: IncomingMessage): ReturnType<typeof untouched> | { status: number; why: string } {
  const type = answer.headers["content-type"] ?? "";
  if (!type.startsWith(textPrefix)) {
    return answer.statusCode === 200 ? { status: 502, why: `a reply to a text call is not in text: ${type || "no content type"}` } : untouched(answer);
  }
  const headers = without(answer.rawHeaders, ["content-length", "content-type"]);
  return { headers: [...headers, "content-type", type.replace("-text", "")], body: answer.pipe(fromText()) };
}

/** Node's flat list of header names and values without some names. */
function without(headers: readonly string[], names: readonly string[]): string[] {
  return headers.filter((_, at) => !names.includes(headers[at - (at % 2)]!.toLowerCase()));
}

/** Sizes in turn; most are no multiple of 3, so that their base64 ends in padding. */
const pieceSizes = [1, 7, 5, 1001, 3, 65537] as const;

/** Bytes to base64 with padding in the middle, and with chunks that end inside a quantum. */
function toText(): Transform {
  return new Transform({
    transform(chunk: Buffer, _, done) {
      for (let at = 0, turn = 0; at < chunk.length; turn++) {
        const size = pieceSizes[turn % pieceSizes.length]!;
        const text = chunk.toString("base64", at, at + size);
        this.push(text.slice(0, 3));
        this.push(text.slice(3));
        at += size;
      }
      done();
    },
  });
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
      if (wrong !== undefined) return done(new Error(`not base64: ${wrong}`));
      done(null, Buffer.concat(quanta.map((quantum) => Buffer.from(quantum, "base64"))));
    },
    flush(done) {
      done(rest === "" ? null : new Error(`base64 ends inside a quantum: ${rest}`));
    },
  });
}
