import { table } from "../cli/table.ts";
import { callers, type JsonReply } from "./callers.ts";
import { placeHeaders, places } from "./places.ts";
import type { SignIn } from "./sign-in.ts";

/** A call with a token of some kind, and how it should end: the origin's own end, or a refusal of the proxy's. */
interface Attempt {
  readonly shows: string;
  readonly token: () => Promise<string> | undefined;
  readonly method: string;
  readonly ends: "200" | "401 unauthenticated" | "403 permission_denied";
}

/** Calls of the same methods with and without what they ask for; gives the account as a table, and how many did not end as they should. */
export async function showPermissions(url: string, { token }: SignIn): Promise<{ readonly text: string; readonly failed: number }> {
  const lend = ["books.lend"];
  const attempts: readonly Attempt[] = [
    { shows: "nothing", token: () => undefined, method: "GetBook", ends: "200" },
    { shows: "nothing", token: () => undefined, method: "BorrowBook", ends: "401 unauthenticated" },
    { shows: "a token for books.read", token: () => token({ scope: ["books.read"] }), method: "BorrowBook", ends: "403 permission_denied" },
    { shows: "a token that is past", token: () => token({ scope: lend, expires: -120_000 }), method: "BorrowBook", ends: "401 unauthenticated" },
    { shows: "a token with a changed signature", token: () => token({ scope: lend }).then(changed), method: "BorrowBook", ends: "401 unauthenticated" },
    { shows: "a token for books.lend", token: () => token({ scope: lend }), method: "BorrowBook", ends: "200" },
  ];
  const rows: string[][] = [];
  let failed = 0;
  for (const attempt of attempts) {
    const { end, servedBy, says } = await make(attempt, url);
    const isWrong = end !== attempt.ends || (servedBy === null) !== (end !== "200");
    if (isWrong) failed++;
    rows.push([attempt.method, attempt.shows, end, servedBy ?? "nobody", isWrong ? `WRONG: should be ${attempt.ends}` : says]);
  }
  return { text: table(["method", "caller shows", "end", "served by", "says"], rows), failed };
}

async function make({ token, method }: Attempt, url: string): Promise<{ end: string; servedBy: string | null; says: string }> {
  const shown = await token();
  let seen = new Headers();
  const { json } = callers(url, { ...placeHeaders(places[0]!), ...(shown !== undefined && { authorization: `Bearer ${shown}` }) }, (headers) => void (seen = headers));
  const { status, body } = await json(method, { isbn: "9780140449136" });
  return { end: status === 200 ? "200" : `${status} ${String(body["code"])}`, servedBy: seen.get("x-served-by"), says: saying(body) };
}

function saying(body: JsonReply["body"]): string {
  return typeof body["message"] === "string" ? body["message"] : ((body["book"] as { title?: string } | undefined)?.title ?? "");
}

function changed(token: string): string {
  const last = token.lastIndexOf(".") + 1;
  return `${token.slice(0, last)}${token[last] === "A" ? "B" : "A"}${token.slice(last + 1)}`;
}
