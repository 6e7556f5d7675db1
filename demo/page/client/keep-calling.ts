import type { Outcome } from "./call.ts";
import { byId, make } from "./dom.ts";
import type { Tally } from "./views.ts";

export interface KeepOptions {
  /** A lane for each, in this order. */
  readonly regions: readonly string[];
  readonly once: () => Promise<Outcome>;
  /** How many of the last calls went where; of none, once they begin anew. */
  readonly onWindow: (tally: Tally) => void;
}

const everyMs = 100;
/** So many calls are shown. */
const windowSize = 100;
/** Where calls hang, no more than these are waited for. */
const mostUnderWay = 50;

interface Arrived {
  readonly key: string | undefined;
  readonly lane: string;
}

/** The switch that calls ten times a second while the page is seen, and the lanes that show where the last calls went. */
export function keepCalling({ regions, once, onWindow }: KeepOptions): void {
  const keep = byId("keep", HTMLInputElement);
  const failedLane = "failed";
  const lanes = [...regions, failedLane].map((name, i) => lane(name, name === failedLane ? "lane-failed" : `lane-${i}`));
  byId("lanes", HTMLElement).replaceChildren(...lanes.map(({ element }) => element));
  let last: readonly Arrived[] = [];
  let [calls, failed, underWay, round] = [0, 0, 0, 0];
  let timer: ReturnType<typeof setInterval> | undefined;

  async function callOne(): Promise<void> {
    if (underWay >= mostUnderWay || document.visibilityState !== "visible") return;
    const mine = round;
    underWay++;
    const outcome = await once().finally(() => underWay--);
    if (mine !== round) return;
    calls++;
    if (outcome.failed) failed++;
    if (outcome.failed && failed === 1) byId("kept-error", HTMLElement).textContent = `A call failed: ${outcome.says}`;
    const arrived = outcome.failed || outcome.region === undefined ? { key: undefined, lane: failedLane } : { key: `${outcome.cluster} ${outcome.region}`, lane: outcome.region };
    last = [...last, arrived].slice(-windowSize);
    show();
  }

  function show(): void {
    for (const lane of lanes) lane.show(last);
    const tally = new Map<string, number>();
    for (const { key } of last) if (key !== undefined) tally.set(key, (tally.get(key) ?? 0) + 1);
    onWindow(tally);
    byId("kept", HTMLElement).textContent = calls === 0 ? "" : `${calls} ${calls === 1 ? "call" : "calls"}, ${failed} failed`;
  }

  keep.checked = false;
  keep.addEventListener("change", () => {
    clearInterval(timer);
    if (!keep.checked) return;
    round++;
    [calls, failed, last] = [0, 0, []];
    byId("kept-error", HTMLElement).textContent = "";
    show();
    timer = setInterval(() => void callOne(), everyMs);
  });
  show();
}

/** A stroke for each of the last calls that came here, the newest at the right; the words say it too. */
function lane(name: string, className: string): { readonly element: HTMLElement; show(last: readonly Arrived[]): void } {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
  svg.setAttribute("viewBox", `0 0 ${windowSize} 1`);
  svg.setAttribute("preserveAspectRatio", "none");
  svg.setAttribute("aria-hidden", "true");
  svg.append(path);
  const count = make("span", "");
  return {
    element: make("li", className, make("b", "", name), count, svg),
    show(last) {
      const from = windowSize - last.length;
      path.setAttribute("d", last.map((one, i) => (one.lane === name ? `M${from + i + 0.5} 0v1` : "")).join(""));
      count.textContent = last.length === 0 ? "" : `${last.filter((one) => one.lane === name).length} of the last ${last.length}`;
    },
  };
}
