import type { EndpointFacts, Switch } from "../facts.ts";
import type { Tally } from "./views.ts";
import { byId, make } from "./dom.ts";

export interface EndpointsView {
  /** The shares of the last calls, by "cluster region"; of no calls there are none. */
  showShares(tally: Tally): void;
}

const everyMs = 1000;

/** The table of origins with a switch for each, and for each place; read anew every second while it can be seen. */
export function showEndpoints(): EndpointsView {
  let rows: readonly Row[] = [];
  let places: readonly PlaceRow[] = [];
  let shown = 0;

  async function ask(init?: RequestInit): Promise<void> {
    const number = ++shown;
    const error = byId("endpoints-error", HTMLElement);
    try {
      const response = await fetch("/endpoints", init);
      if (!response.ok) throw new Error(await response.text());
      const facts = (await response.json()) as readonly EndpointFacts[];
      // One that was overtaken tells what was before.
      if (number === shown) show(facts);
      error.textContent = "";
    } catch (reason) {
      const says = `How the origins are cannot be told: ${reason instanceof Error ? reason.message : String(reason)}`;
      if (error.textContent !== says) error.textContent = says;
    }
  }

  async function turn(wanted: readonly Switch[]): Promise<void> {
    for (const one of wanted) await ask({ method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(one) });
    const [{ region, cluster, run } = { region: "", cluster: "", run: false }] = wanted;
    byId("switched", HTMLElement).textContent = `${wanted.length > 1 ? "All" : short(cluster)} in ${region} ${run ? "started" : "stopped"}.`;
  }

  function show(facts: readonly EndpointFacts[]): void {
    if (rows.length !== facts.length) build(facts);
    for (const [i, one] of facts.entries()) rows[i]?.update(one);
    for (const place of places) place.update(facts);
  }

  function build(facts: readonly EndpointFacts[]): void {
    const table = byId("endpoints", HTMLTableElement);
    for (const old of table.querySelectorAll("tbody")) old.remove();
    rows = facts.map((one) => endpointRow(one, (wanted) => void turn([wanted])));
    places = [...new Set(facts.map(({ region }) => region))].map((region) => placeRow(region, (wanted) => void turn(wanted)));
    table.append(...places.map(({ region, element }) => make("tbody", "", element, ...rows.filter((row) => row.region === region).map((row) => row.element))));
  }

  void ask();
  setInterval(() => document.visibilityState === "visible" && void ask(), everyMs);
  return {
    showShares(tally) {
      const calls = [...tally.values()].reduce((sum, n) => sum + n, 0);
      for (const row of rows) row.share(calls === 0 ? undefined : (tally.get(row.key) ?? 0) / calls);
    },
  };
}

interface Row {
  readonly key: string;
  readonly region: string;
  readonly element: HTMLTableRowElement;
  update(facts: EndpointFacts): void;
  share(share: number | undefined): void;
}

function endpointRow({ cluster, region, url }: EndpointFacts, onTurn: (wanted: Switch) => void): Row {
  const stopped = make("small", "gone", "stopped");
  const head = make("th", "", short(cluster), " ", make("code", "", url.replace("http://", "")), stopped);
  head.scope = "row";
  const [state, share] = [make("td", "state"), make("td", "number none", "\u2013")];
  let runs = true;
  const button = switchButton(() => onTurn({ cluster, region, run: !runs }));
  const element = make("tr", "", head, state, share, make("td", "switch", button));
  return {
    key: `${cluster} ${region}`,
    region,
    element,
    update(facts) {
      runs = facts.runs;
      stopped.hidden = runs;
      element.className = runs ? "" : "stopped";
      label(button, runs ? "Stop" : "Start", `${runs ? "Stop" : "Start"} ${short(cluster)} in ${region}`);
      const since = facts.forMs === undefined ? [] : [make("small", "", `for ${span(facts.forMs)}`)];
      const detail = facts.detail === undefined || facts.detail === "" ? [] : [make("small", "detail", facts.detail)];
      state.replaceChildren(make("b", "", facts.state), ...since, ...detail);
    },
    share(value) {
      share.textContent = value === undefined ? "\u2013" : `${Math.round(value * 100)} %`;
      share.classList.toggle("none", !value);
    },
  };
}

interface PlaceRow {
  readonly region: string;
  readonly element: HTMLTableRowElement;
  update(facts: readonly EndpointFacts[]): void;
}

/** The heading of a place, with a switch for all that is there: it starts what is stopped where nothing runs, else it stops all. */
function placeRow(region: string, onTurn: (wanted: readonly Switch[]) => void): PlaceRow {
  let here: readonly EndpointFacts[] = [];
  const anyRuns = (): boolean => here.some(({ runs }) => runs);
  const button = switchButton(() => onTurn(here.map(({ cluster }) => ({ cluster, region, run: !anyRuns() }))));
  const head = make("th", "", region);
  head.scope = "rowgroup";
  head.colSpan = 3;
  return {
    region,
    element: make("tr", "region", head, make("td", "switch", button)),
    update(facts) {
      here = facts.filter((one) => one.region === region);
      label(button, anyRuns() ? "Stop all" : "Start all", `${anyRuns() ? "Stop" : "Start"} all in ${region}`);
    },
  };
}

function switchButton(onPress: () => void): HTMLButtonElement {
  const button = make("button", "");
  button.type = "button";
  button.addEventListener("click", onPress);
  return button;
}

/** Only what changed: a name that is set anew may be read out anew. */
function label(button: HTMLButtonElement, text: string, name: string): void {
  if (button.textContent === text) return;
  button.textContent = text;
  button.setAttribute("aria-label", name);
}

function short(cluster: string): string {
  return cluster.replace("library-", "");
}

function span(ms: number): string {
  const seconds = Math.round(ms / 1000);
  return seconds < 120 ? `${seconds} s` : `${Math.round(seconds / 60)} min`;
}
