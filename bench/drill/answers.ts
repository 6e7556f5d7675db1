import { flagTrailer, utf8, writeEnvelope } from "../../worker/core/protocol/envelope.ts";
import { message } from "./layout.ts";

export interface Answer {
  readonly status: number;
  readonly type: string;
  readonly body: Uint8Array;
}

/** What an endpoint has to say: its reply to a call (100 bytes that begin with its name), that it is well, or that it is unavailable. */
export type Say = "reply" | "serving" | "unavailable";

/** https://github.com/grpc/grpc/blob/master/src/proto/grpc/health/v1/health.proto: status = SERVING. */
const serving = { proto: Uint8Array.of(0x08, 0x01), json: utf8(`{"status":"SERVING"}`) };

/**
 * Bytes made beforehand for an endpoint, in the dialect that the request's content type names. What is said to be
 * unavailable is HTTP 503 with a Connect error, and in gRPC-Web HTTP 200 with the status in the trailer frame.
 */
export function answersOf(name: string): (say: Say, type: string) => Answer {
  const made = new Map<string, Answer>();
  return (say, type) => {
    const key = `${say} ${type}`;
    const answer = made.get(key) ?? (type.startsWith("application/grpc-web") ? web(say, type, name) : connect(say, type, name));
    made.set(key, answer);
    return answer;
  };
}

function connect(say: Say, type: string, name: string): Answer {
  if (say === "unavailable") return { status: 503, type: "application/json", body: utf8(`{"code":"unavailable","message":"${name} is failing"}`) };
  const json = type.startsWith("application/json");
  if (say === "serving") return { status: 200, type, body: json ? serving.json : serving.proto };
  return { status: 200, type, body: message(name) };
}

function web(say: Say, type: string, name: string): Answer {
  const [body, trailer] =
    say === "unavailable" ? [undefined, `grpc-status: 14\r\ngrpc-message: ${name} is failing\r\n`] : [say === "serving" ? serving.proto : message(name), "grpc-status: 0\r\n"];
  return { status: 200, type, body: Buffer.concat([...(body === undefined ? [] : [writeEnvelope(0, body)]), writeEnvelope(flagTrailer, utf8(trailer))]) };
}
