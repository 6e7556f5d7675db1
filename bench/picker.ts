import { fork } from "node:child_process";
import { once } from "node:events";
import { type Ask, pickEndpoint } from "../worker/core/balance/pick.ts";
import { nowhere, type Place } from "../worker/core/balance/place.ts";
import { router } from "../worker/core/balance/route.ts";
import { snapshot } from "../worker/core/balance/snapshot.ts";
import type { CompiledCluster, CompiledLocality, CompiledMatch, CompiledRoute } from "../worker/core/config/compiled.ts";
import { median } from "./stats.ts";

export interface PickerFigures {
  /** Time of a look-up among 1,000 routes over that of the same look-up among 10. */
  readonly routeRatio: number;
  /** Microseconds of a pick over 1,000 endpoints in 10 localities, for a caller at a known place. */
  readonly pickUs: number;
  /** Bytes that such a pick allocates. */
  readonly pickBytes: number;
}

/** Measures the pure parts of a choice, in a process of its own: memory is counted where nothing is collected meanwhile. */
export async function measurePicker(rounds: number): Promise<PickerFigures> {
  const flags = ["--expose-gc", "--min-semi-space-size=64", "--max-semi-space-size=64"];
  const child = fork(import.meta.filename, ["measure", String(rounds)], { execArgv: [...process.execArgv, ...flags] });
  const [figures] = (await once(child, "message")) as [PickerFigures];
  return figures;
}

function measure(rounds: number): PickerFigures {
  const pick = picking();
  const [among10, among1000] = [lookingUp(10), lookingUp(1000)];
  for (const warm of [among10, among1000, pick]) nsOf(warm, 300_000);
  const ratios: number[] = [];
  const picks: number[] = [];
  for (let round = 0; round < rounds; round++) {
    ratios.push(nsOf(among1000, 200_000) / nsOf(among10, 200_000));
    picks.push(nsOf(pick, 50_000) / 1000);
  }
  return { routeRatio: median(ratios), pickUs: median(picks), pickBytes: bytesOf(pick, 20_000) };
}

function nsOf(work: (i: number) => unknown, times: number): number {
  const start = process.hrtime.bigint();
  for (let i = 0; i < times; i++) work(i);
  return Number(process.hrtime.bigint() - start) / times;
}

function bytesOf(work: (i: number) => unknown, times: number): number {
  globalThis.gc!();
  const before = process.memoryUsage().heapUsed;
  for (let i = 0; i < times; i++) work(i);
  return (process.memoryUsage().heapUsed - before) / times;
}

/** A third of the routes each by method, service and prefix. The same ten are looked up, however many there are beside them. */
function lookingUp(count: number): (i: number) => unknown {
  const kinds = ["method", "service", "prefix"] as const;
  const routes = Array.from({ length: count }, (_, i) => routeTo({ kind: kinds[i % 3]!, path: pathOf(i, kinds[i % 3]!) }));
  const find = router(routes);
  const metadata = new Headers();
  const paths = Array.from({ length: 10 }, (_, i) => `/acme.${name(i)}.v1.UserService/GetUser`);
  return (i) => {
    if (find({ path: paths[i % paths.length]!, host: "api.example.com", metadata }) === undefined) throw new Error("Cannot measure as every look-up must find its route");
  };
}

function pathOf(i: number, kind: CompiledMatch["kind"]): string {
  return kind === "method" ? `/acme.${name(i)}.v1.UserService/GetUser` : kind === "service" ? `/acme.${name(i)}.v1.UserService/` : `/acme.${name(i)}.`;
}

/** Names of one length, so that only the number of routes differs. */
function name(i: number): string {
  return `s${String(i).padStart(4, "0")}`;
}

function picking(): (i: number) => unknown {
  const localities = Array.from({ length: 10 }, (_, l): CompiledLocality => ({
    region: `region-${l}`, weight: 1 + (l % 3), priority: 0, countries: [], continents: [],
    at: { lat: 60 - 12 * l, lng: 36 * l - 180 },
    endpoints: Array.from({ length: 100 }, (_, e) => ({ url: `https://e${e}.region-${l}.example.com`, binding: null, authority: null, weight: 1 + (e % 5), clientCertificate: null })),
  }));
  const cluster: CompiledCluster = { name: "users", dialect: "connect", codecs: ["proto"], bandKm: 250, choice: "random", localities,
    healthCheck: null, outlier: { consecutiveFailures: 5, baseEjectionMs: 30_000, maxEjectionMs: 300_000, maxEjected: 0.1, localityFailures: 3, failureRate: 0.3 }, circuitBreaker: null, slowStartMs: 30_000,
  };
  const now = snapshot([cluster]);
  const asks = Array.from({ length: 64 }, (_, i): Ask => {
    const place: Place = { ...nowhere, at: { lat: 60 - i, lng: 5 * i - 160 } };
    return { route: routeTo({ kind: "prefix", path: "/" }), place, key: undefined };
  });
  return (i) => void pickEndpoint(now, 0, asks[i % asks.length]!, Math.random)!.seen.pending--;
}

function routeTo(match: Pick<CompiledMatch, "kind" | "path">): CompiledRoute {
  const edits = { set: [], remove: [] };
  return {
    match: { ...match, host: null, basePath: "", metadata: [] },
    split: [{ cluster: 0, weight: 1 }], sticky: null, residency: [], retry: { maxAttempts: 3, codes: ["unavailable"], perTryTimeoutMs: 800, hedgingDelayMs: null },
    timeoutMs: 15_000, idleTimeoutMs: 60_000, maxDurationMs: 3_600_000,
    requestHeaders: edits, responseHeaders: edits, forwardedHeaders: false, streams: "watched", cache: null, open: [],
  };
}

if (process.argv[2] === "measure") {
  process.send!(measure(Number(process.argv[3])));
  process.disconnect();
}
