import type { Failure } from "../../worker/core/failure.ts";
import type { Transport, UpstreamReply } from "../../worker/proxy/ports.ts";

export const broken: Failure = { kind: "transport", reached: "maybe", cause: "the reply broke off" };

function chunks(of: readonly Uint8Array[]): ReadableStream {
  return new ReadableStream({
    start(controller) {
      for (const chunk of of) controller.enqueue(chunk);
      controller.close();
    },
  });
}

/** An origin's answer. Bytes come as a stream of chunks: Node's byte streams refuse a read for more than they have left. */
export function answer(status: number, body: Uint8Array<ArrayBuffer> | ReadableStream | null, type = "application/proto"): UpstreamReply {
  const response = new Response(body instanceof Uint8Array ? chunks([body]) : body, { status, headers: { "content-type": type } });
  return { status, headers: response.headers, source: response as UpstreamReply["source"], trailers: null, broken };
}

const says = (status: number) => Promise.resolve(answer(200, Uint8Array.of(0x08, status)));
export const serving = () => says(1);
export const notServing = () => says(2);
export const silent: Transport = ({ signal }) => new Promise((resolve) => signal?.addEventListener("abort", () => resolve({ failure: broken })));
