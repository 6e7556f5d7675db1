import type { CompiledEndpoint } from "../core/config/compiled.ts";
import type { Failure } from "../core/failure.ts";
import { type Fields, fieldsOf } from "../core/protocol/fields.ts";
import type { Transport } from "../proxy/ports.ts";

/** Anything that answers requests: the platform's fetch, or a binding. */
export interface Fetcher {
  fetch(url: string, init: RequestInit): Promise<Response>;
}

/** Says of a thrown error whether the request surely did not reach the origin; "maybe" where the runtime does not tell. */
export type Reached = (error: unknown) => "no" | "maybe";

export interface FetchOptions {
  /** What an endpoint is reached through; or, in words, why it cannot be. */
  readonly through: (endpoint: CompiledEndpoint) => Fetcher | string;
  readonly reached: Reached;
  /** The encodings that this runtime's fetch undoes in replies, whatever was asked for but `identity`. */
  readonly decodes: ReadonlySet<string>;
  /** Whether this runtime's fetch sends a request a second time, by itself, where a kept connection breaks. It does not if the body is a stream. */
  readonly resends: boolean;
}

/**
 * A transport over fetch: HTTP/1.1 or what the platform makes of it, and no trailers. Replies are left as they came
 * (nothing followed, decoded or cached). 520 to 530 are what Cloudflare says in the place of an origin; but an origin may say
 * them too, so none is taken for proof that it was not reached.
 * https://developers.cloudflare.com/support/troubleshooting/http-status-codes/cloudflare-5xx-errors/
 */
export function fetchTransport({ through, reached, decodes, resends }: FetchOptions): Transport {
  return async ({ endpoint, method, path, headers, body: given, once, signal }) => {
    const target = through(endpoint);
    if (typeof target === "string") return { failure: { kind: "transport", reached: "no", cause: target } };
    const body = resends && once && given instanceof Uint8Array ? streamOf(given) : given;
    try {
      // Only a GET could be answered from a cache; on a POST workerd would tell the origin of it in two headers.
      const init = { method, headers: headers.toInit(), body, signal, redirect: "manual", encodeResponseBody: "manual", cache: method === "GET" ? "no-store" : undefined, duplex: "half" };
      const response = await target.fetch(baseUrl(endpoint) + path, init as RequestInit);
      const { status } = response;
      if (status >= 520 && status <= 530) {
        response.body?.cancel().catch(() => {});
        return { failure: { kind: "transport", reached: "maybe", cause: `HTTP ${status}`, answered: true } };
      }
      const fields = fieldsOf(response.headers);
      const isDecoded = decodes.has(fields.get("content-encoding")?.toLowerCase() ?? "") && headers.get("accept-encoding")?.toLowerCase() !== "identity";
      if (isDecoded) forgetCoding(fields);
      return { status, headers: fields, source: response, trailers: null, broken };
    } catch (error) {
      return { failure: { kind: "transport", reached: reached(error), cause: errorText(error) } };
    }
  };
}

function streamOf(bytes: Uint8Array): ReadableStream<Uint8Array> {
  return new ReadableStream({
    pull(controller) {
      if (bytes.length > 0) controller.enqueue(bytes);
      controller.close();
    },
  });
}

/** The headers of a reply whose body has been decoded still tell of the body as it was sent. */
function forgetCoding(headers: Fields): void {
  headers.delete("content-encoding");
  headers.delete("content-length");
}

/** A binding leads where it leads, so there the URL's host is free to be the one that the origin should see. */
function baseUrl({ url, binding, authority }: CompiledEndpoint): string {
  return binding === null || authority === null ? url : url.replace(/\/\/[^/]+/, () => `//${authority}`);
}

/** An error in words, with what caused it. */
export function errorText(error: unknown): string {
  return error instanceof Error && error.cause !== undefined ? `${error}: ${String(error.cause)}` : String(error);
}

/** The platform's own fetch. */
export const globalFetch: Fetcher = { fetch: (url, init) => fetch(url, init) };
const broken: Failure = { kind: "transport", reached: "maybe", cause: "the reply broke off" };
