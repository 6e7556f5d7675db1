import type { Explanation } from "../../../worker/core/balance/explain.ts";
import type { Facts } from "../facts.ts";
import { call, type Kind, type Outcome, type Settings } from "./call.ts";
import { type Controls, readControls } from "./controls.ts";
import { byId } from "./dom.ts";
import { showEndpoints } from "./endpoints.ts";
import { keepCalling } from "./keep-calling.ts";
import { createMap } from "./map.ts";
import { readSignIn } from "./sign-in.ts";
import { showOutcome, showRules, showShares, showStatus } from "./views.ts";

const facts = await readFacts();

/** Calls that are like the last one. Whatever changes where calls go starts a new count. */
let tally = new Map<string, number>();
let lastExplanation: Explanation | undefined;
/** Settles once the proxy has the split that was asked for last. */
let ready = Promise.resolve();
let holding = facts.weights;
/** Changes of the settings are numbered: a call that was overtaken by one is not counted. */
let changes = 0;

const controls: Controls = readControls(facts, { onChange: changed, onSplit: applySplit });
const signIn = readSignIn(() => void callOnce("error"));
const settings = (): Settings => ({ ...controls.settings(), token: signIn.token() });
const map = createMap({ localities: facts.localities, onMove: controls.moveTo, onGrab: controls.hold });
byId("proxy", HTMLElement).textContent = facts.proxy;
map.setCaller(controls.settings().at);
for (const kind of ["unary", "stream", "error"] as const) byId(kind, HTMLButtonElement).addEventListener("click", () => void callOnce(kind));
byId("many", HTMLButtonElement).addEventListener("click", () => void callMany(50));
const endpoints = showEndpoints();
keepCalling({ regions: facts.localities.map(({ region }) => region), once: () => call(facts.proxy, settings(), "unary", false), onWindow: endpoints.showShares });
await callOnce("unary");

async function readFacts(): Promise<Facts> {
  try {
    const response = await fetch("/facts");
    if (!response.ok) throw new Error(`HTTP ${response.status}`);
    return (await response.json()) as Facts;
  } catch (error) {
    showStatus("The page cannot start, as the demo does not say what it serves. Is npm start still running?", { failed: true });
    throw error;
  }
}

function changed(settled: boolean): void {
  map.setCaller(controls.settings().at);
  map.setWay(undefined);
  startAnew();
  if (settled) void callOnce("unary");
}

function startAnew(): void {
  changes++;
  tally = new Map();
}

async function callOnce(kind: Kind): Promise<void> {
  const at = changes;
  const set = settings();
  await ready;
  const outcome = await call(facts.proxy, set, kind, true);
  if (at === changes) show(outcome, spoken(set, kind));
}

/** The call's dialect and codec as origins name what they hear. */
function spoken({ transport }: Settings, kind: Kind): string {
  if (transport === "grpc-web") return "grpc-web proto";
  return kind === "stream" ? "connect-stream json" : "connect-unary json";
}

function show(outcome: Outcome, sentAs: string): void {
  count(outcome);
  showOutcome(outcome, sentAs);
  map.setWay(outcome.region, outcome.explanation?.localities.find(({ region }) => region === outcome.region)?.km);
  // A call that its caller may not make went nowhere: what stands there is of the calls that may.
  if (outcome.explanation !== undefined && outcome.explanation.localities.length > 0) lastExplanation = outcome.explanation;
  showRules(outcome.explanation);
  if (lastExplanation !== undefined) showShares(lastExplanation, tally);
}

function count({ cluster, region }: Outcome): void {
  if (cluster === undefined) return;
  const key = `${cluster} ${region}`;
  tally.set(key, (tally.get(key) ?? 0) + 1);
}

/** A few at a time; only the last one asks why, as each answer is a line in the proxy's log. */
async function callMany(calls: number): Promise<void> {
  const at = changes;
  const set = settings();
  await ready;
  let begun = 0;
  const callAll = async () => {
    while (begun < calls - 1) {
      begun++;
      const outcome = await call(facts.proxy, set, "unary", false);
      if (at !== changes) return;
      count(outcome);
      if (lastExplanation !== undefined) showShares(lastExplanation, tally);
    }
  };
  showStatus(`Calling ${calls} times …`);
  await Promise.all(Array.from({ length: 5 }, callAll));
  if (at !== changes) return;
  await callOnce("unary");
  const lines = [...tally].sort(([, a], [, b]) => b - a).map(([key, n]) => `${n} to ${key.replace(" ", " in ")}`);
  if (at === changes) showStatus(`${calls} calls made. So far went`, { lines });
}

function applySplit(weights: Facts["weights"]): void {
  startAnew();
  showStatus("The proxy takes the new split …");
  const applied = fetch("/split", { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(weights) }).then(async (response) => {
    if (!response.ok) throw new Error(await response.text());
    holding = ((await response.json()) as Facts).weights;
  });
  const mine = applied.catch(() => {});
  ready = mine;
  applied.then(() => callOnce("unary")).catch((error: Error) => {
    if (ready !== mine) return;
    controls.showSplit(holding, "The split was not changed.");
    showStatus(`The split was not changed: ${error.message}`, { failed: true });
  });
}
