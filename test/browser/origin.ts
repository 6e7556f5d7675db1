import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { Code, ConnectError, type ConnectRouter, type HandlerContext } from "@connectrpc/connect";
import { connectNodeAdapter } from "@connectrpc/connect-node";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { LibraryService, NoCopyLeftSchema } from "../../gen/fairlead/demo/v1/library_pb.js";
import { books, lost, paused } from "./books.ts";

export interface BrowserOrigin {
  readonly url: string;
  /** How many requests have arrived. */
  calls(): number;
  /** Lets the lists that pause now go on. */
  release(): void;
  stop(): Promise<void>;
}

/**
 * A library that speaks one protocol. Its replies have the headers `x-served-by` (the dialect) and `x-asked-by` (the
 * caller's cookie and tenant) and the trailer `x-loans`; its errors have details, and the metadata `x-reason`.
 */
export async function startBrowserOrigin(dialect: "connect" | "grpc-web"): Promise<BrowserOrigin> {
  let calls = 0;
  let released = Promise.withResolvers<void>();
  const sign = ({ requestHeader, responseHeader, responseTrailer }: HandlerContext) => {
    responseHeader.set("x-served-by", dialect);
    responseHeader.set("x-asked-by", `${requestHeader.get("cookie")}; tenant=${requestHeader.get("x-tenant")}`);
    responseTrailer.set("x-loans", "3");
  };
  const routes = (router: ConnectRouter) =>
    void router.service(LibraryService, {
      getBook({ isbn }, context) {
        sign(context);
        const book = books.find((book) => book.isbn === isbn);
        if (book === undefined) throw new ConnectError("no such book", Code.NotFound);
        return { book };
      },
      borrowBook({ isbn }, context) {
        sign(context);
        throw noCopyLeft(isbn);
      },
      async *listBooks({ author }, context) {
        sign(context);
        if (author === lost.atOnce) throw noCopyLeft("1");
        for (const [index, book] of books.entries()) {
          if (index === 1 && author === paused) await released.promise;
          yield { book };
        }
        if (author === lost.atTheEnd) throw noCopyLeft("2");
      },
      returnBooks() {
        throw new ConnectError("no page can stream requests", Code.Unimplemented);
      },
    });
  const handle = connectNodeAdapter({ routes, connect: dialect === "connect", grpcWeb: dialect === "grpc-web", grpc: false });
  const server = createServer((request, response) => {
    calls++;
    handle(request, response);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    calls: () => calls,
    release() {
      released.resolve();
      released = Promise.withResolvers();
    },
    async stop() {
      server.close();
      server.closeAllConnections();
      await once(server, "close");
    },
  };
}

function noCopyLeft(isbn: string): ConnectError {
  const value = { isbn, copies: 1, nextDue: timestampFromMs(lost.nextDue) };
  return new ConnectError(lost.message, Code.FailedPrecondition, { "x-reason": "lent" }, [{ desc: NoCopyLeftSchema, value }]);
}
