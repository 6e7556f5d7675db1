import { type Client, createClient, type Interceptor } from "@connectrpc/connect";
import { createConnectTransport as createNodeTransport } from "@connectrpc/connect-node";
import { createConnectTransport, createGrpcWebTransport } from "@connectrpc/connect-web";
import { LibraryService } from "../gen/fairlead/demo/v1/library_pb.js";

export type Library = Client<typeof LibraryService>;

/** Takes the headers of a reply as it came, before any client library looks at it. */
export type Observe = (headers: Headers) => void;

/** The ways in which the demo calls, all at one base URL. */
export interface Callers {
  readonly connect: Library;
  readonly connectJson: Library;
  /** Connect GET for the methods that allow it. */
  readonly connectGet: Library;
  readonly grpcWeb: Library;
  /** Streams requests too, which fetch in browsers does not. */
  readonly streaming: Library;
  /** A call as `curl` makes it: JSON in, JSON out, nothing else. */
  readonly json: (method: string, request: object) => Promise<JsonReply>;
  /** A unary call in gRPC-Web's text mode, as the grpc-web package makes it; gives the body, decoded. */
  readonly text: (method: string, message: Uint8Array) => Promise<Uint8Array>;
}

export interface JsonReply {
  readonly status: number;
  readonly body: { readonly [name: string]: unknown };
}

/** Callers that send these headers along with every call. */
export function callers(baseUrl: string, along: Readonly<Record<string, string>>, observe: Observe): Callers {
  const observed: typeof globalThis.fetch = async (input, init) => {
    const headers = new Headers(init?.headers);
    for (const [name, value] of Object.entries(along)) headers.set(name, value);
    const response = await fetch(input, { ...init, headers });
    observe(response.headers);
    return response;
  };
  const post = (method: string, headers: Record<string, string>, body: string) =>
    observed(`${baseUrl}/${LibraryService.typeName}/${method}`, { method: "POST", headers, body });
  const web = { baseUrl, fetch: observed };
  return {
    connect: createClient(LibraryService, createConnectTransport({ ...web, useBinaryFormat: true })),
    connectJson: createClient(LibraryService, createConnectTransport(web)),
    connectGet: createClient(LibraryService, createConnectTransport({ ...web, useBinaryFormat: true, useHttpGet: true })),
    grpcWeb: createClient(LibraryService, createGrpcWebTransport(web)),
    streaming: createClient(LibraryService, createNodeTransport({ baseUrl, httpVersion: "1.1", interceptors: [observing(along, observe)] })),
    async json(method, request) {
      const response = await post(method, { "content-type": "application/json" }, JSON.stringify(request));
      return { status: response.status, body: (await response.json()) as JsonReply["body"] };
    },
    async text(method, message) {
      const envelope = Buffer.alloc(5 + message.length);
      envelope.writeUInt32BE(message.length, 1);
      envelope.set(message, 5);
      const response = await post(method, { "content-type": "application/grpc-web-text" }, envelope.toString("base64"));
      return Buffer.from(await response.text(), "base64");
    },
  };
}

function observing(along: Readonly<Record<string, string>>, observe: Observe): Interceptor {
  return (next) => async (request) => {
    for (const [name, value] of Object.entries(along)) request.header.set(name, value);
    const response = await next(request);
    observe(response.header);
    return response;
  };
}
