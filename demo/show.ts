import { type Callers, callers } from "./callers.ts";
import { type DemoCall, demoCalls } from "./calls.ts";
import { placeHeaders, places } from "./places.ts";
import { table } from "../cli/table.ts";

/** What became of one call, in words. */
interface Account {
  readonly cells: readonly string[];
  readonly good: boolean;
}

/** Makes every call of the demo, each with this token, and gives the account of them as a table, and how many did not go as they should. */
export async function show(url: string, token: string): Promise<{ readonly text: string; readonly failed: number }> {
  let seen: Headers | undefined;
  const observe = (headers: Headers) => void (seen = headers);
  // From one place, as each origin has loans of its own.
  const along = { ...placeHeaders(places[0]!), authorization: `Bearer ${token}` };
  const through = { "library-v1": callers(`${url}/v1`, along, observe), "library-v2": callers(`${url}/v2`, along, observe) };
  const accounts: Account[] = [];
  for (const call of demoCalls) {
    seen = undefined;
    accounts.push(await account(call, through[call.to], () => seen));
  }
  return {
    text: table(["method", "caller speaks", "origin heard", "way", "result", "ms"], accounts.map(({ cells }) => cells), [5]),
    failed: accounts.filter(({ good }) => !good).length,
  };
}

async function account({ method, from, to, run }: DemoCall, through: Callers, seen: () => Headers | undefined): Promise<Account> {
  const start = performance.now();
  const outcome = await run(through).then(
    (result) => ({ result, good: true }),
    (error: unknown) => ({ result: `WRONG: ${error instanceof Error ? error.message : String(error)}`, good: false }),
  );
  const ms = (performance.now() - start).toFixed(1);
  const heard = seen()?.get("x-came-as") ?? "nothing";
  const servedBy = seen()?.get("x-served-by");
  const misled = servedBy?.split(" ")[0] !== to ? [`WRONG: served by ${servedBy ?? "nobody"} instead of ${to}`] : [];
  return { cells: [method, from, heard, wayOf(from, heard), [outcome.result, ...misled].join("; "), ms], good: outcome.good && misled.length === 0 };
}

/** The way that a call took, by what the caller spoke and what the origin heard. */
function wayOf(from: string, heard: string): string {
  const [dialect, codec] = from.split(" ");
  const [dialectOut, codecOut] = heard.split(" ");
  if (codecOut === undefined) return "none";
  if (codec !== codecOut) return "recode";
  return dialect?.replace("grpc-web-text", "grpc-web") === dialectOut ? "pass" : "reframe";
}
