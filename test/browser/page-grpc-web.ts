import { create, type DescMessage, fromBinary, type MessageInitShape, type MessageShape, toBinary } from "@bufbuild/protobuf";
import { findTrailerError } from "@connectrpc/connect/protocol-grpc";
import { type ClientReadableStream, GrpcWebClientBase, type Metadata, MethodDescriptor, MethodType, type RpcError } from "grpc-web";
import {
  BorrowBookRequestSchema,
  BorrowBookResponseSchema,
  GetBookRequestSchema,
  GetBookResponseSchema,
  LibraryService,
  ListBooksRequestSchema,
  ListBooksResponseSchema,
} from "../../gen/fairlead/demo/v1/library_pb.js";
import { bookOf, type Call, type ClientName, details, type Failure, type Outcome, timeoutMs } from "./page-call.ts";

type GrpcWebName = Extract<ClientName, `grpc-web${string}`>;

/** Makes a call with the official grpc-web, credentials included. */
export function callGrpcWeb(asked: Call, name: GrpcWebName): Promise<Outcome> {
  const client = new GrpcWebClientBase({ format: name === "grpc-web, text" ? "text" : "binary", withCredentials: true });
  const metadata: Metadata = asked.custom ? { "x-tenant": "north", deadline: String(Date.now() + timeoutMs) } : {};
  const url = (method: string) => `${asked.baseUrl}/${LibraryService.typeName}/${method}`;
  if (asked.method === "listBooks") {
    const method = descriptor("ListBooks", MethodType.SERVER_STREAMING, ListBooksRequestSchema, ListBooksResponseSchema);
    return outcome((tell) =>
      client.serverStreaming(url("ListBooks"), create(ListBooksRequestSchema, asked.request), metadata, method).on("data", (reply) => tell(null, reply)).on("error", (error) => tell(error, null)),
    );
  }
  if (asked.method === "getBook") {
    const method = descriptor("GetBook", MethodType.UNARY, GetBookRequestSchema, GetBookResponseSchema);
    return outcome((tell) => client.rpcCall(url("GetBook"), create(GetBookRequestSchema, asked.request), metadata, method, tell));
  }
  const method = descriptor("BorrowBook", MethodType.UNARY, BorrowBookRequestSchema, BorrowBookResponseSchema);
  return outcome((tell) => client.rpcCall(url("BorrowBook"), create(BorrowBookRequestSchema, asked.request), metadata, method, tell));
}

function descriptor<I extends DescMessage, O extends DescMessage>(name: string, type: string, input: I, output: O) {
  return new MethodDescriptor<MessageShape<I>, MessageShape<O>>(
    name,
    type,
    typeOf(input),
    typeOf(output),
    (message: MessageShape<I>) => toBinary(input, message),
    (bytes: Uint8Array) => fromBinary(output, bytes),
  );
}

/** grpc-web wants a class for each type, and makes no use of it. */
function typeOf<D extends DescMessage>(schema: D): new () => MessageShape<D> {
  return function made() {
    return create(schema, {} as MessageInitShape<D>);
  } as unknown as new () => MessageShape<D>;
}

type Tell = (error: RpcError | null, reply: Parameters<typeof bookOf>[0] | null) => void;

/**
 * Collects what a call tells. A unary call gives its message and its error to a callback alone, and the rest as events.
 * The metadata event comes whatever became of the call, and last but for what follows in the same turn.
 */
function outcome<T>(start: (tell: Tell) => ClientReadableStream<T>): Promise<Outcome> {
  const books: Outcome["books"][number][] = [];
  let trailer: Metadata = {};
  let error: Failure | undefined;
  let ends = 0;
  const stream = start((reason, reply) => {
    if (reason) error = failure(reason);
    else if (reply) books.push(bookOf(reply));
  });
  stream.on("status", ({ metadata }) => {
    ends++;
    trailer = metadata ?? {};
  });
  return new Promise((resolve) => {
    stream.on("metadata", (header) => void setTimeout(() => resolve({ books, header, trailer, ...(error && { error }), ends }), 0));
  });
}

function failure({ code, message, metadata = {} }: RpcError): Failure {
  return { code, message, metadata, details: details(findTrailerError(new Headers({ ...metadata, "grpc-status": String(code) }))) };
}
