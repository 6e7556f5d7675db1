import { timestampDate } from "@bufbuild/protobuf/wkt";
import { Code, ConnectError, createClient } from "@connectrpc/connect";
import { createConnectTransport, createGrpcWebTransport } from "@connectrpc/connect-web";
import { type Book, LibraryService, NoCopyLeftSchema } from "../../../gen/fairlead/demo/v1/library_pb.js";
import type { Explanation } from "../../../worker/core/balance/explain.ts";
import { type CallerPlace, placeHeaders } from "../../places.ts";

/** What a person set on the page. */
export interface Settings extends CallerPlace {
  readonly transport: "connect" | "grpc-web";
  /** Sent as x-reader; empty sends none. */
  readonly reader: string;
  /** Whoever is signed in shows it with every call. */
  readonly token: string | undefined;
  /** Calls below /eu, where residency holds. */
  readonly resident: boolean;
}

export type Kind = "unary" | "stream" | "error";

/** What became of a call. */
export interface Outcome {
  /** In a sentence. */
  readonly says: string;
  readonly failed: boolean;
  /** What else came: messages of a stream, details of an error. */
  readonly lines: readonly string[];
  readonly ms: number;
  /** By what the origin says of itself. */
  readonly cluster?: string;
  readonly region?: string;
  /** Dialect and codec as the origin heard them. */
  readonly cameAs?: string;
  readonly explanation?: Explanation;
}

type Came = Pick<Outcome, "says" | "failed" | "lines">;

const odyssey = "9780140449136";
const emma = "9780141439587";

/** Makes one call with connect-web. Does not throw: an error is an outcome. */
export async function call(proxy: string, settings: Settings, kind: Kind, explain: boolean): Promise<Outcome> {
  let seen = new Headers();
  const keep: typeof fetch = async (input, init) => {
    const response = await fetch(input, init);
    seen = response.headers;
    return response;
  };
  const options = { baseUrl: settings.resident ? `${proxy}/eu` : proxy, fetch: keep };
  const client = createClient(LibraryService, settings.transport === "connect" ? createConnectTransport(options) : createGrpcWebTransport(options));
  const headers = { ...placeHeaders(settings), ...(settings.reader !== "" && { "x-reader": settings.reader }), ...(settings.token !== undefined && { authorization: `Bearer ${settings.token}` }), ...(explain && { "fairlead-explain": "1" }) };
  const start = performance.now();
  const came = await run().catch((error: unknown) => failure(ConnectError.from(error)));
  const ms = performance.now() - start;
  const [cluster, region] = seen.get("x-served-by")?.split(" ") ?? [];
  const cameAs = seen.get("x-came-as");
  const told = seen.get("fairlead-explanation");
  return { ...came, ms, ...(cluster && region && { cluster, region }), ...(cameAs && { cameAs }), ...(told && { explanation: JSON.parse(told) as Explanation }) };

  async function run(): Promise<Came> {
    if (kind === "stream") {
      const lines: string[] = [];
      for await (const { book } of client.listBooks({}, { headers })) lines.push(about(book));
      return { says: `${lines.length} books, one by one`, failed: false, lines };
    }
    const { book } = kind === "unary" ? await client.getBook({ isbn: odyssey }, { headers }) : await client.borrowBook({ isbn: emma }, { headers });
    return { says: about(book), failed: false, lines: [] };
  }
}

function about(book: Book | undefined): string {
  return book === undefined ? "a book that is missing" : `${book.title}, ${book.author}, ${book.year}`;
}

function failure(error: ConnectError): Came {
  const lines = error.findDetails(NoCopyLeftSchema).map(({ isbn, copies, nextDue }) => {
    const due = nextDue === undefined ? "" : `, next due ${timestampDate(nextDue).toISOString().slice(0, 10)}`;
    return `NoCopyLeft: ISBN ${isbn}, ${copies} ${copies === 1 ? "copy" : "copies"}${due}`;
  });
  return { says: `${snake(Code[error.code] ?? "Unknown")}: ${error.rawMessage}`, failed: true, lines };
}

/** Connect's spelling of a code: FailedPrecondition is failed_precondition. */
function snake(name: string): string {
  return name.replace(/(?!^)[A-Z]/g, (letter) => `_${letter}`).toLowerCase();
}
