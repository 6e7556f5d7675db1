import { strictJson } from "../core/auth/json.ts";
import { concat } from "../core/protocol/envelope.ts";
import type { Ports } from "../proxy/ports.ts";

/** A document of an identity provider that is larger is none, in bytes. */
const mostBytes = 64 * 1024;
const timeoutMs = 2000;

export type Got = { readonly value: unknown } | { readonly failure: string };

/** Gets JSON from a URL: HTTP 200 alone counts, nothing is followed. Takes no longer than 2 s and no more than 64 KiB, counted as they come. */
export async function getJson(ports: Pick<Ports, "fetch" | "after">, url: string): Promise<Got> {
  if (!isSafeUrl(url)) return { failure: "its URL must be https" };
  const ended = new AbortController();
  const { promise: late, resolve } = Promise.withResolvers<Got>();
  const cancel = ports.after(timeoutMs, () => resolve({ failure: `no answer within ${timeoutMs} ms` }));
  const got = await Promise.race([read(ports, url, ended.signal), late]);
  cancel();
  ended.abort();
  return got;
}

async function read({ fetch }: Pick<Ports, "fetch">, url: string, signal: AbortSignal): Promise<Got> {
  try {
    const answer = await fetch(url, signal);
    if ("failure" in answer) return answer;
    if (answer.status !== 200 || answer.body === null) return { failure: `HTTP ${answer.status}` };
    const bytes = await readUpTo(answer.body, mostBytes);
    const value = bytes && strictJson(bytes);
    return value === undefined ? { failure: bytes === undefined ? `it is larger than ${mostBytes} bytes` : "it is not JSON" } : { value };
  } catch (error) {
    return { failure: String(error) };
  }
}

/** The whole body; undefined where it is larger than `most` bytes: what is beyond is not read. */
export async function readUpTo(body: ReadableStream<Uint8Array<ArrayBuffer>>, most: number): Promise<Uint8Array<ArrayBuffer> | undefined> {
  const reader = body.getReader();
  const chunks: Uint8Array<ArrayBuffer>[] = [];
  for (let size = 0; ; ) {
    const { done, value } = await reader.read();
    if (done) return concat(chunks);
    size += value.length;
    chunks.push(value);
    if (size <= most) continue;
    reader.cancel().catch(() => {});
    return undefined;
  }
}

/** https, or http on a loopback address, which nobody else can answer. */
function isSafeUrl(url: string): boolean {
  return /^https:\/\/[^/?#@\\]+(?:[/?]|$)/.test(url) || isLoopbackUrl(url);
}

export function isLoopbackUrl(url: string): boolean {
  return /^http:\/\/(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])(?::\d+)?(?:[/?]|$)/.test(url);
}
