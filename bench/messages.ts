import { create, toBinary, toJson } from "@bufbuild/protobuf";
import { GetBookRequestSchema, GetBookResponseSchema } from "../gen/fairlead/demo/v1/library_pb.js";
import { concat, flagConnectEnd, flagTrailer, utf8, writeEnvelope } from "../worker/core/protocol/envelope.ts";

export const getBook = "/fairlead.demo.v1.LibraryService/GetBook";
export const listBooks = "/fairlead.demo.v1.LibraryService/ListBooks";

const question = create(GetBookRequestSchema, { isbn: "9780140449136" });

/** The request, 15 bytes in protobuf, in each codec. */
export const request = {
  proto: toBinary(GetBookRequestSchema, question),
  json: utf8(JSON.stringify(toJson(GetBookRequestSchema, question))),
} as const;

/** The reply: 100 bytes of protobuf. */
export const reply = toBinary(
  GetBookResponseSchema,
  create(GetBookResponseSchema, { book: { isbn: "9780140449136", title: "The Odyssey ".padEnd(59, "."), author: "Homer, most likely", year: 7 } }),
);

/** The reply as gRPC-Web has it. */
export const webReply = concat([writeEnvelope(0, reply), writeEnvelope(flagTrailer, utf8("grpc-status:0\r\n"))]);

/** A stream's chunk of 1 MiB, one envelope, and how many of them a stream has. */
export const chunk = writeEnvelope(0, new Uint8Array((1 << 20) - 5));
export const chunks = 64;
export const streamEnd = writeEnvelope(flagConnectEnd, utf8("{}"));
