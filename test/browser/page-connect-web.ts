import { type CallOptions, ConnectError, createClient } from "@connectrpc/connect";
import { createConnectTransport, createGrpcWebTransport } from "@connectrpc/connect-web";
import { LibraryService } from "../../gen/fairlead/demo/v1/library_pb.js";
import { bookOf, type Call, type ClientName, details, type Failure, type Outcome, timeoutMs } from "./page-call.ts";

type ConnectWebName = Extract<ClientName, `connect-web${string}`>;

/** Makes a call with connect-web, credentials included. */
export async function callConnectWeb(asked: Call, name: ConnectWebName): Promise<Outcome> {
  const client = createClient(LibraryService, transport(name, asked.baseUrl));
  const books: Outcome["books"][number][] = [];
  let header = {};
  let trailer = {};
  const options: CallOptions = {
    ...(asked.custom ? { headers: { "x-tenant": "north" }, timeoutMs } : {}),
    onHeader: (headers) => void (header = Object.fromEntries(headers)),
    onTrailer: (trailers) => void (trailer = Object.fromEntries(trailers)),
  };
  try {
    if (asked.method === "listBooks") for await (const reply of client.listBooks(asked.request, options)) books.push(bookOf(reply));
    else books.push(bookOf(await client[asked.method](asked.request, options)));
    return { books, header, trailer, ends: 1 };
  } catch (error) {
    return { books, header, trailer, error: failure(ConnectError.from(error)), ends: 1 };
  }
}

function transport(name: ConnectWebName, baseUrl: string) {
  const options = { baseUrl, fetch: fetchWithCredentials };
  if (name === "connect-web, gRPC-Web") return createGrpcWebTransport(options);
  return createConnectTransport({ ...options, useBinaryFormat: name !== "connect-web, Connect JSON", useHttpGet: name === "connect-web, Connect GET" });
}

/** An object of any kind, as the types here are those of Workers, whose fetch knows no credentials. */
const credentials: object = { credentials: "include" };

const fetchWithCredentials: typeof fetch = (input, init) => fetch(input, { ...init, ...credentials });

function failure(error: ConnectError): Failure {
  return { code: error.code, message: error.rawMessage, metadata: Object.fromEntries(error.metadata), details: details(error) };
}
