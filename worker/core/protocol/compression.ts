import { type Failure, FailureError } from "../failure.ts";
import { concat } from "./envelope.ts";

/** Encodings that the proxy can open; any other passes only where nobody has to look inside. */
export type Encoding = "identity" | "gzip";

/** Reads an encoding's name; undefined where the proxy cannot open it. A missing or empty one is identity. */
export function encodingFrom(name: string | null): Encoding | undefined {
  return name === null || name === "" || name === "identity" ? "identity" : name === "gzip" ? "gzip" : undefined;
}

/** Encodings that are let through where both sides speak them. */
const passable = new Set(["identity", "gzip", "br", "zstd"]);

/** Whether messages in this encoding may pass unopened. */
export function isPassable(name: string): boolean {
  return passable.has(name);
}

/**
 * Opens gzip, counting as it goes: stops at the first byte past `limit`, whatever the data claims.
 * Throws a FailureError: `message-too-large`, or `corrupt` as given.
 */
export async function gunzip(data: Uint8Array<ArrayBuffer>, limit: number, corrupt: Failure): Promise<Uint8Array<ArrayBuffer>> {
  const chunks: Uint8Array<ArrayBuffer>[] = [];
  await inflate(data, limit, corrupt, (chunk) => chunks.push(chunk));
  return concat(chunks);
}

/** Fails as `gunzip` does, and keeps nothing of what comes out. */
export async function checkGzip(data: Uint8Array<ArrayBuffer>, limit: number, corrupt: Failure): Promise<void> {
  await inflate(data, limit, corrupt, () => {});
}

async function inflate(data: Uint8Array<ArrayBuffer>, limit: number, corrupt: Failure, take: (chunk: Uint8Array<ArrayBuffer>) => void): Promise<void> {
  const stream = new DecompressionStream("gzip");
  const reader = (stream.readable as ReadableStream<Uint8Array<ArrayBuffer>>).getReader();
  const writer = (stream.writable as WritableStream<Uint8Array>).getWriter();
  writer.write(data).then(() => writer.close()).catch(() => {});
  for (let size = 0; ; ) {
    const next = await reader.read().catch(() => {
      throw new FailureError(corrupt);
    });
    if (next.done) return;
    size += next.value.length;
    if (size > limit) {
      reader.cancel().catch(() => {});
      throw new FailureError({ kind: "message-too-large", limit });
    }
    take(next.value);
  }
}

/** By so many bytes gzip makes a message longer at most, which it cannot make shorter: stored in blocks of 16 KiB (RFC 1951, 3.2.4), with head and foot (RFC 1952, 2.3). */
export function gzipRoom(length: number): number {
  return 5 * Math.ceil(length / 16_384) + 32;
}

/** Compresses with gzip. */
export async function gzip(data: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>> {
  const stream = new Response(data).body!.pipeThrough(new CompressionStream("gzip") as unknown as ReadableWritablePair<Uint8Array, Uint8Array>);
  return new Uint8Array(await new Response(stream).arrayBuffer());
}
