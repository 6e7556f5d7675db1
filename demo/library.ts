import { create } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { Code, ConnectError, type ServiceImpl } from "@connectrpc/connect";
import { BookSchema, BorrowBookResponseSchema, NoCopyLeftSchema, type LibraryService } from "../gen/fairlead/demo/v1/library_pb.js";

interface Title {
  readonly isbn: string;
  readonly title: string;
  readonly author: string;
  readonly year: number;
  readonly copies: number;
  /** When each copy that is out is due, in milliseconds since the epoch. */
  readonly due: readonly number[];
}

const day = 24 * 60 * 60 * 1000;

/** A library of its own, in memory: two calls to one origin see each other's loans. */
export function library(): ServiceImpl<typeof LibraryService> {
  const titles = new Map(shelf(Date.now()).map((title) => [title.isbn, title]));

  function find(isbn: string): Title {
    const title = titles.get(isbn);
    if (title === undefined) throw new ConnectError(`no book has the ISBN "${isbn}"`, Code.NotFound);
    return title;
  }

  return {
    getBook: ({ isbn }) => ({ book: book(find(isbn)) }),

    borrowBook({ isbn, lentFor }) {
      const title = find(isbn);
      const ms = lentFor === undefined ? 21 * day : Number(lentFor.seconds) * 1000;
      if (ms < day || ms > 60 * day) throw new ConnectError("lent_for must be from 1 to 60 days", Code.InvalidArgument);
      if (title.due.length >= title.copies) throw noCopyLeft(title);
      const due = Date.now() + ms;
      const lent = { ...title, due: [...title.due, due] };
      titles.set(isbn, lent);
      return create(BorrowBookResponseSchema, { book: book(lent), due: timestampFromMs(due) });
    },

    async *listBooks({ author }) {
      const found = [...titles.values()].filter((title) => title.author.includes(author)).sort((a, b) => (a.isbn < b.isbn ? -1 : 1));
      for (const title of found) yield { book: book(title) };
    },

    async returnBooks(requests) {
      let returned = 0;
      let refused = 0;
      for await (const { isbn } of requests) {
        const title = titles.get(isbn);
        if (title === undefined || title.due.length === 0) refused++;
        else {
          titles.set(isbn, { ...title, due: title.due.slice(1) });
          returned++;
        }
      }
      return { returned, refused };
    },
  };
}

function book({ due, copies, ...about }: Title) {
  return create(BookSchema, { ...about, copiesLeft: copies - due.length });
}

function noCopyLeft({ isbn, title, copies, due }: Title): ConnectError {
  const detail = { isbn, copies, nextDue: timestampFromMs(Math.min(...due)) };
  return new ConnectError(`every copy of ${title} is lent`, Code.FailedPrecondition, undefined, [{ desc: NoCopyLeftSchema, value: detail }]);
}

function shelf(now: number): Title[] {
  return [
    { isbn: "9780140449136", title: "The Odyssey", author: "Homer", year: 1488, copies: 3, due: [] },
    { isbn: "9780141439518", title: "Pride and Prejudice", author: "Jane Austen", year: 1813, copies: 2, due: [] },
    { isbn: "9780141439587", title: "Emma", author: "Jane Austen", year: 1815, copies: 1, due: [now + 5 * day] },
    { isbn: "9780142437247", title: "Moby-Dick", author: "Herman Melville", year: 1851, copies: 2, due: [now + 9 * day] },
  ];
}
