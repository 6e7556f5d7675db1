import { kinds } from "./call.ts";
import type { Verdict } from "./judge.ts";
import { type Departs, known, type Reason, reasons } from "./known.ts";

export interface Judged {
  /** Of the generated messages. */
  readonly messages: readonly Verdict[];
  /** Of the edge cases, each sent as every kind of method. */
  readonly edges: readonly Verdict[];
}

export interface Report {
  readonly text: string;
  readonly passed: number;
  readonly failed: number;
}

/** The differences by reason, what none explains, and the count: a known difference that nothing shows has failed too. */
export function report({ messages, edges }: Judged): Report {
  const all = [...messages, ...edges];
  const unexplained = all.filter((verdict) => verdict.unexplained !== undefined);
  const stale = [...staleReasons(all), ...staleEdges(edges)];
  const lines = [
    summary("generated messages", messages),
    `  ${kinds.map((kind) => `${messages.filter((verdict) => verdict.kind === kind).length} ${kind}`).join(", ")}`,
    summary("edge cases, each by every kind of method", edges),
    ...(["Fairlead", "connect-go", "neither"] as const).flatMap((departs) => section(departs, messages, edges)),
    "",
    ...unexplained.slice(0, 20).map(({ kind, item, unexplained }) => `UNEXPLAINED, ${kind}, Fairlead ${unexplained}\n  ${item.text.slice(0, 400)}`),
    ...(unexplained.length > 20 ? [`and ${unexplained.length - 20} more`] : []),
    ...stale,
  ];
  return { text: `${lines.join("\n")}\n`, passed: all.length - unexplained.length, failed: unexplained.length + stale.length };
}

function summary(what: string, verdicts: readonly Verdict[]): string {
  const equal = verdicts.filter(({ reasons, unexplained }) => reasons.length === 0 && unexplained === undefined);
  const refused = equal.filter(({ taken }) => !taken).length;
  return `${verdicts.length} ${what}: ${equal.length - refused} with the same values, ${refused} refused alike, ${verdicts.length - equal.length} with a difference`;
}

function section(departs: Departs, messages: readonly Verdict[], edges: readonly Verdict[]): string[] {
  const own = reasons.filter((reason) => known[reason].departs === departs);
  return ["", `Differences in which ${departs} departs from the specification:`, ...own.flatMap((reason) => entry(reason, messages, edges))];
}

function entry(reason: Reason, messages: readonly Verdict[], edges: readonly Verdict[]): string[] {
  const { connectGo, fairlead, why } = known[reason];
  const count = (verdicts: readonly Verdict[]) => verdicts.filter((verdict) => verdict.reasons.includes(reason)).length;
  return [
    `${reason}: ${count(messages)} messages, ${count(edges)} edge calls`,
    `  connect-go  ${connectGo}`,
    `  Fairlead    ${fairlead}`,
    `  why         ${why}`,
  ];
}

function staleReasons(all: readonly Verdict[]): string[] {
  return reasons.filter((reason) => !all.some((verdict) => verdict.reasons.includes(reason))).map((reason) => `STALE: "${reason}" shows nowhere: take it out of known.ts`);
}

function staleEdges(edges: readonly Verdict[]): string[] {
  const byText = Map.groupBy(edges, ({ item }) => item.text);
  const stale = [...byText].filter(([, verdicts]) => verdicts[0]!.item.notes.size > 0 && verdicts.every(({ reasons }) => reasons.length === 0));
  return stale.map(([text]) => `STALE: no difference any more in ${text.slice(0, 200)}`);
}
