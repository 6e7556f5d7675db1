import type { Explanation } from "../worker/core/balance/explain.ts";
import { callers } from "./callers.ts";
import { type CallerPlace, placeHeaders, places } from "./places.ts";
import { table } from "../cli/table.ts";
import { wrap } from "./wrap.ts";

/** Calls of one kind from one place, and where they should go. */
interface Journey {
  readonly from: string;
  readonly place: CallerPlace;
  readonly path?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly goesTo?: string | undefined;
  /** All go to one version. */
  readonly stays?: boolean;
}

/** Where one call went, as the origin told and as the proxy explained. */
interface Arrival {
  readonly cluster: string;
  readonly region: string;
  /** Of the first call alone: each is a line in the proxy's log. */
  readonly explanation: Explanation | undefined;
}

const callsEach = 20;
const isbn = "9780140449136";

const journeys: readonly Journey[] = [
  ...places.map((place) => ({ from: place.name, place, goesTo: place.goesTo })),
  { from: "nowhere, below /eu", place: {}, path: "/eu", goesTo: "eu-central" },
  { from: "London, x-reader: ada", place: places[1]!, headers: { "x-reader": "ada" }, goesTo: "eu-central", stays: true },
];

/** Calls from every place and gives the account of it as a table, and how many calls did not go where they should. */
export async function showJourneys(url: string): Promise<{ readonly text: string; readonly failed: number }> {
  const rows: string[][] = [];
  let failed = 0;
  for (const journey of journeys) {
    const arrivals = await travel(url, journey);
    const wrong = arrivals.filter((arrival) => isWrong(arrival, arrivals[0]!, journey)).length;
    failed += wrong;
    rows.push(...account(journey, arrivals, wrong));
  }
  return { text: table(["calls from", "went to", "v1", "v2", "km", "why"], rows, [2, 3, 4]), failed };
}

async function travel(url: string, { place, path = "", headers = {} }: Journey): Promise<Arrival[]> {
  let seen: Headers | undefined;
  const along = { ...placeHeaders(place), ...headers };
  const observe = (headers: Headers) => void (seen = headers);
  const asking = callers(url + path, { ...along, "fairlead-explain": "1" }, observe);
  const silent = callers(url + path, along, observe);
  const arrivals: Arrival[] = [];
  for (let i = 0; i < callsEach; i++) {
    await (i === 0 ? asking : silent).connect.getBook({ isbn });
    const [cluster = "", region = ""] = seen?.get("x-served-by")?.split(" ") ?? [];
    const told = seen?.get("fairlead-explanation");
    arrivals.push({ cluster, region, explanation: told ? (JSON.parse(told) as Explanation) : undefined });
  }
  return arrivals;
}

function isWrong(arrival: Arrival, first: Arrival, { goesTo, stays = false }: Journey): boolean {
  const { cluster, region, explanation } = arrival;
  const told = explanation?.picked;
  const toldRight = arrival !== first || (told?.cluster === cluster && told.region === region);
  return !toldRight || (goesTo !== undefined && region !== goesTo) || (stays && cluster !== first.cluster);
}

/** A row for each region that calls went to; the reasons run down beside them. */
function account({ from, goesTo }: Journey, arrivals: readonly Arrival[], wrong: number): string[][] {
  const { rules, localities } = arrivals[0]?.explanation ?? { rules: [], localities: [] };
  const regions = [...new Set(arrivals.map(({ region }) => region))].sort();
  const count = (region: string, cluster: string) => arrivals.filter((one) => one.region === region && one.cluster === cluster).length;
  const went = regions.map((region) => {
    const km = localities.find((one) => one.region === region)?.km;
    return [region, String(count(region, "library-v1")), String(count(region, "library-v2")), km === undefined ? "" : String(km)];
  });
  const told = rules.filter(({ rule, says }) => telling.has(rule) || (rule === "place" && says.startsWith("nobody")) || (rule === "sticky" && says.includes("decides")));
  const why = [...told.map(({ says }) => says), ...(wrong === 0 ? [] : [`WRONG: ${wrong} of ${callsEach} should have gone elsewhere${goesTo === undefined ? "" : `: to ${goesTo}`}`])].flatMap((text) => wrap(text, 58));
  return Array.from({ length: Math.max(went.length, why.length) }, (_, i) => [i === 0 ? from : "", ...(went[i] ?? ["", "", "", ""]), why[i] ?? ""]);
}

/** The rules that differ from place to place. */
const telling = new Set(["residency", "home", "distance", "load", "panic", "weight", "nobody"]);
