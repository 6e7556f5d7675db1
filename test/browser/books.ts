/** What the origins of this test know: the page asks for it, and the test knows the answers. */
export const books = [
  { isbn: "9780140449136", title: "Ὀδύσσεια" },
  { isbn: "9780141439518", title: "Pride and Prejudice" },
  { isbn: "9780141439587", title: "Emma" },
] as const;

/** An author whose list pauses after its first book, until it is released. */
export const paused = "after one book";

/** The error that every failing call ends with, and the authors whose list fails so. */
export const lost = {
  message: "100% of “Emma” is lent",
  nextDue: Date.UTC(2031, 0, 2),
  atOnce: "without a book",
  atTheEnd: "after all books",
} as const;
