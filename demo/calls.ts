import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { timestampDate } from "@bufbuild/protobuf/wkt";
import { Code, ConnectError } from "@connectrpc/connect";
import { GetBookRequestSchema, GetBookResponseSchema, NoCopyLeftSchema } from "../gen/fairlead/demo/v1/library_pb.js";
import type { Callers, JsonReply } from "./callers.ts";

/** One call of the demo. */
export interface DemoCall {
  readonly method: string;
  /** Dialect and codec that the caller speaks. */
  readonly from: string;
  /** The cluster that it should reach. */
  readonly to: "library-v1" | "library-v2";
  /** Makes the call and tells what came of it; throws where it is not what it should be. */
  readonly run: (callers: Callers) => Promise<string>;
}

const odyssey = "9780140449136";
const prejudice = "9780141439518";
const emma = "9780141439587";

/** What each origin is asked, in every dialect: the same questions, so that their answers can be compared. */
export const demoCalls: readonly DemoCall[] = (["library-v1", "library-v2"] as const).flatMap((to) => [
  { to, method: "GetBook", from: "connect-unary proto", run: async ({ connect }) => title(await connect.getBook({ isbn: odyssey })) },
  { to, method: "GetBook", from: "connect-unary json", run: async ({ connectJson }) => title(await connectJson.getBook({ isbn: odyssey })) },
  { to, method: "GetBook", from: "connect-get proto", run: async ({ connectGet }) => title(await connectGet.getBook({ isbn: odyssey })) },
  { to, method: "GetBook", from: "grpc-web proto", run: async ({ grpcWeb }) => title(await grpcWeb.getBook({ isbn: odyssey })) },
  { to, method: "GetBook", from: "grpc-web-text proto", run: inText },
  { to, method: "BorrowBook", from: "connect-unary json", run: async ({ json }) => due(await json("BorrowBook", { isbn: prejudice, lentFor: "604800s" })) },
  { to, method: "ListBooks", from: "connect-stream proto", run: async ({ connect }) => `${await count(connect.listBooks({}))} books` },
  { to, method: "ListBooks", from: "connect-stream json", run: async ({ connectJson }) => `${await count(connectJson.listBooks({}))} books` },
  { to, method: "ListBooks", from: "grpc-web proto", run: async ({ grpcWeb }) => `${await count(grpcWeb.listBooks({ author: "Austen" }))} books` },
  { to, method: "ReturnBooks", from: "connect-stream proto", run: returnTwo },
  { to, method: "BorrowBook", from: "connect-unary proto", run: ({ connect }) => lent(connect.borrowBook({ isbn: emma })) },
  { to, method: "BorrowBook", from: "grpc-web proto", run: ({ grpcWeb }) => lent(grpcWeb.borrowBook({ isbn: emma })) },
  { to, method: "GetBook", from: "connect-unary json", run: async ({ json }) => notFound(await json("GetBook", { isbn: "1" })) },
] satisfies DemoCall[]);

function title({ book }: { readonly book?: { readonly title: string } | undefined }): string {
  if (book === undefined) throw new Error("the reply has no book");
  return book.title;
}

function due({ status, body }: JsonReply): string {
  if (status !== 200 || typeof body["due"] !== "string") throw new Error(`HTTP ${status}: ${JSON.stringify(body)}`);
  return `${status}, due ${body["due"].slice(0, 10)}`;
}

async function inText({ text }: Callers): Promise<string> {
  const body = Buffer.from(await text("GetBook", toBinary(GetBookRequestSchema, create(GetBookRequestSchema, { isbn: odyssey }))));
  return title(fromBinary(GetBookResponseSchema, body.subarray(5, 5 + body.readUInt32BE(1))));
}

async function count(messages: AsyncIterable<unknown>): Promise<number> {
  let n = 0;
  for await (const _ of messages) n++;
  return n;
}

async function returnTwo({ streaming }: Callers): Promise<string> {
  const { returned, refused } = await streaming.returnBooks(each([{ isbn: prejudice }, { isbn: "1" }]));
  return `${returned} returned, ${refused} refused`;
}

async function* each<T>(values: readonly T[]): AsyncGenerator<T> {
  yield* values;
}

async function lent(call: Promise<unknown>): Promise<string> {
  const error = await call.then(() => undefined, ConnectError.from);
  if (error?.code !== Code.FailedPrecondition) throw error ?? new Error("a book was lent that has no copy left");
  const [detail] = error.findDetails(NoCopyLeftSchema);
  if (detail?.nextDue === undefined) throw new Error("the error has lost its details");
  return `failed_precondition, next due ${timestampDate(detail.nextDue).toISOString().slice(0, 10)}`;
}

function notFound({ status, body }: JsonReply): string {
  if (body["code"] !== "not_found") throw new Error(`HTTP ${status}: ${JSON.stringify(body)}`);
  return `${status} not_found`;
}
