import type { Candidate, Explanation } from "../../../worker/core/balance/explain.ts";
import type { Outcome } from "./call.ts";
import { byId, make } from "./dom.ts";

/** Calls that went to each locality of each cluster, by "cluster region". */
export type Tally = ReadonlyMap<string, number>;

/** Says what is under way, or came of it. */
export function showStatus(text: string, { failed = false, lines = [] }: { readonly failed?: boolean; readonly lines?: readonly string[] } = {}): void {
  const status = byId("status", HTMLElement);
  status.textContent = text;
  status.classList.toggle("failed", failed);
  byId("lines", HTMLElement).replaceChildren(...lines.map((line) => make("li", "", line)));
}

/** The reply: the message or error, what came with it, and how the call fared on its way. */
export function showOutcome({ says, failed, lines, ms, cluster, region, cameAs }: Outcome, sentAs: string): void {
  showStatus(says, { failed, lines });
  const facts: [string, string][] = [
    ["from", cluster === undefined ? "no origin" : `${cluster} in ${region}`],
    ["sent as", sentAs],
    ["arrived as", cameAs ?? "nothing"],
    ["took", `${ms.toFixed(0)} ms`],
  ];
  byId("facts", HTMLElement).replaceChildren(...facts.flatMap(([term, text]) => [make("dt", "", term), make("dd", "", text)]));
}

/** The rules that led the last call, or that nobody told them: a call that never reached the proxy has none. */
export function showRules(explanation: Explanation | undefined): void {
  const rules = explanation?.rules ?? [{ rule: "none", says: "the reply brought no explanation" }];
  byId("rules", HTMLElement).replaceChildren(...rules.map(({ rule, says }) => make("li", "", make("b", "", rule), make("span", "", says.replaceAll(" %", "\u00a0%")))));
}

/** A row for each version at each locality: the share that it should get, beside what it got. */
export function showShares({ localities }: Explanation, tally: Tally): void {
  const calls = [...tally.values()].reduce((sum, n) => sum + n, 0);
  const regions = [...new Set(localities.map(({ region }) => region))];
  const groups = regions.map((region) => {
    const here = localities.filter((one) => one.region === region);
    return make("tbody", "", regionRow(here[0]!), ...here.map((one) => shareRow(one, calls === 0 ? 0 : (tally.get(`${one.cluster} ${region}`) ?? 0) / calls)));
  });
  const table = byId("shares", HTMLTableElement);
  for (const old of table.querySelectorAll("tbody")) old.remove();
  table.append(...groups);
  byId("of-calls", HTMLElement).textContent = calls === 1 ? "of 1 call like this" : `of ${calls} calls like this`;
}

function regionRow({ region, km }: Candidate): HTMLTableRowElement {
  const head = make("th", "", region, make("small", "", km === undefined ? "" : `${km} km`));
  head.scope = "rowgroup";
  head.colSpan = 4;
  return make("tr", "region", head);
}

function shareRow({ cluster, share, out }: Candidate, observed: number): HTMLTableRowElement {
  const head = make("th", "", cluster.replace("library-", ""));
  head.scope = "row";
  const bars = make("td", "bars", bar("expected", share), bar("observed", observed));
  const expected = make("td", out === undefined ? "number" : "number none", out ?? percent(share));
  return make("tr", "", head, bars, expected, make("td", observed === 0 ? "number none" : "number", percent(observed)));
}

function bar(kind: string, share: number): HTMLElement {
  const element = make("span", `bar ${kind}`);
  element.style.width = `${share * 100}%`;
  return element;
}

function percent(share: number): string {
  return `${Number((share * 100).toFixed(1))} %`;
}
