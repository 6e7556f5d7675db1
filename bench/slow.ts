import { fork } from "node:child_process";
import { once } from "node:events";
import { connect } from "node:net";
import { post } from "./load.ts";
import { getBook } from "./messages.ts";
import { replyReader } from "./reply-reader.ts";

export interface SlowRead {
  readonly port: number;
  /** A whole HTTP/1.1 request. */
  readonly request: Buffer;
  readonly bytesPerSecond: number;
  /** Told of all bytes of the body so far, whenever some have come. */
  readonly onBytes: (bytes: number) => void;
}

/** Sends one request, and reads its reply no faster than told: in between the socket is not read, and the server feels it. */
export function readSlowly({ port, request, bytesPerSecond, onBytes }: SlowRead): Promise<void> {
  return new Promise((resolve, reject) => {
    const reader = replyReader();
    let bytes = 0;
    const start = performance.now();
    const socket = connect({ port, host: "127.0.0.1", noDelay: true }, () => socket.write(request));
    socket.on("error", reject);
    socket.on("close", () => reject(new Error(`Cannot go on as the reply must be whole: current value is ${bytes} bytes`)));
    socket.on("data", (chunk) => {
      try {
        const whole = reader.push(chunk);
        bytes += reader.takeBytes();
        onBytes(bytes);
        if (whole) {
          resolve();
          return void socket.destroy();
        }
        const ahead = (bytes / bytesPerSecond) * 1000 - (performance.now() - start);
        if (ahead < 1) return;
        socket.pause();
        setTimeout(() => socket.resume(), ahead);
      } catch (error) {
        socket.destroy();
        reject(error as Error);
      }
    });
  });
}

/** How the head tells of the body: by its length, or not at all. */
export type BodyFraming = "content-length" | "chunked";

/** How uploads ended: HTTP 200, resource_exhausted, or anything else. */
export interface Outcomes {
  answered: number;
  refused: number;
  broken: number;
}

const uploadBytes = 4_000_000;
const uploadMs = 4000;
const stepMs = 50;

/** Makes unary calls with bodies of 4 MB that take 4 s to send, all at once, from a process of its own. */
export async function uploadSlowly(port: number, count: number, framing: BodyFraming): Promise<Outcomes> {
  const child = fork(import.meta.filename, ["upload", String(port), String(count), framing]);
  const died = once(child, "exit").then(([code]) => {
    throw new Error(`Cannot go on as the uploads' process must tell how they ended: it exited with code ${code}`);
  });
  const [outcomes] = (await Promise.race([once(child, "message"), died])) as [Outcomes];
  return outcomes;
}

async function uploadAll(port: number, count: number, framing: BodyFraming): Promise<void> {
  const outcomes: Outcomes = { answered: 0, refused: 0, broken: 0 };
  await Promise.all(Array.from({ length: count }, async (_, i) => {
    // Spread over a step, so that not all write at the same moment.
    await new Promise((resolve) => setTimeout(resolve, (i / count) * stepMs));
    outcomes[await upload(port, framing)]++;
  }));
  process.send?.(outcomes, () => process.disconnect());
}

function upload(port: number, framing: BodyFraming): Promise<keyof Outcomes> {
  return new Promise((resolve) => {
    const step = Buffer.alloc(uploadBytes / (uploadMs / stepMs), "x");
    const piece = framing === "chunked" ? Buffer.concat([Buffer.from(`${step.length.toString(16)}\r\n`), step, Buffer.from("\r\n")]) : step;
    const whole = post(getBook, "application/proto", new Uint8Array(0)).toString("latin1");
    const head = whole.replace("content-length: 0", framing === "chunked" ? "transfer-encoding: chunked" : `content-length: ${uploadBytes}`);
    let left = uploadBytes;
    let reply = "";
    const socket = connect({ port, host: "127.0.0.1", noDelay: true }, () => socket.write(head, "latin1"));
    const timer = setInterval(() => {
      if (left === 0 || socket.writableNeedDrain) return;
      socket.write(piece);
      left -= step.length;
      if (left === 0 && framing === "chunked") socket.write("0\r\n\r\n");
    }, stepMs);
    const end = (outcome: keyof Outcomes) => {
      clearInterval(timer);
      socket.destroy();
      resolve(outcome);
    };
    socket.on("error", () => end("broken"));
    socket.on("close", () => end("broken"));
    socket.on("data", (chunk) => {
      reply += chunk.toString("latin1");
      if (reply.startsWith("HTTP/1.1 200 ")) end("answered");
      else if (reply.includes('"resource_exhausted"')) end("refused");
    });
  });
}

if (process.argv[2] === "upload" && process.send !== undefined) {
  const [, , , port, count, framing] = process.argv;
  await uploadAll(Number(port), Number(count), framing as BodyFraming);
}
