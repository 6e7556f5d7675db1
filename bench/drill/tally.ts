import { quantile } from "../stats.ts";
import type { Call } from "./callers.ts";
import { endpoints, faultAt, localities, perSecond, returnAt, sickOf, slowMs } from "./layout.ts";
import type { Drill } from "./options.ts";
import type { Seen } from "./origins.ts";
import type { Recorded } from "./run.ts";

export interface PhaseFigures {
  readonly phase: Phase;
  readonly calls: number;
  readonly failed: Readonly<Record<string, number>>;
  readonly slow: number;
  /** Milliseconds from when a call had to begin. */
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
  /** Share of the good replies, by locality: from 0 to 1, NaN where there is none. */
  readonly answered: readonly number[];
  /** Calls that came to an origin in this time, repeated ones too, and those of them that came to an endpoint that the fault is for. */
  readonly arrived: number;
  readonly arrivedSick: number;
}

export interface Figures {
  readonly drill: Drill;
  readonly calls: number;
  readonly failed: number;
  readonly slow: number;
  /** Those of the slow ones that began in the first second of the fault, or were under way when it began. */
  readonly slowFirst: number;
  /** Calls whose head came to origins more than once, the same origin or another. */
  readonly reachedTwo: number;
  /** What the endpoints that failed had of the good replies in each second, from 0 to 1. */
  readonly sickShares: readonly number[];
  /** Their share in the last two seconds over that before the fault; and by how much it rose at most from one second to the next after it. */
  readonly back: number;
  readonly steepest: number;
  /** Calls begun a second, and how late one was begun at most in milliseconds. */
  readonly rate: number;
  readonly lateMs: number;
  /** For how long the origins' process did nothing, at most, in milliseconds. */
  readonly heldUpMs: number;
  readonly probes: number;
  readonly phases: readonly PhaseFigures[];
}

const phases = ["before", "first second", "during", "return", "after"] as const;
type Phase = (typeof phases)[number];

/** The return is this long, in seconds; what follows is "after". */
const returning = 10;

export function tally(drill: Drill, recorded: Recorded): Figures {
  const { calls, start, failed, returned, origins } = recorded;
  const sick = sickOf(drill.fault);
  const phaseAt = (at: number): Phase =>
    at < failed ? "before" : at < failed + 1000 ? "first second" : at < returned ? "during" : at < returned + returning * 1000 ? "return" : "after";
  // What was under way when the fault began may have met it.
  const phaseOf = ({ due, ended }: Call) => (due < failed && ended > failed ? "first second" : phaseAt(due));
  const byPhase = Map.groupBy(calls, phaseOf);
  const seen = origins.seen.filter(([id]) => id >= 0);
  const slow = calls.filter(isSlow);
  const sickShares = Array.from({ length: drill.seconds }, (_, second) => shareOf(calls.slice(second * perSecond, (second + 1) * perSecond), sick));
  const last = calls.at(-1)?.sent ?? start;
  return {
    drill,
    calls: calls.length,
    failed: calls.filter(isFailed).length,
    slow: slow.length,
    slowFirst: slow.filter((call) => phaseOf(call) === "first second").length,
    reachedTwo: [...Map.groupBy(seen, ([id]) => id).values()].filter(({ length }) => length > 1).length,
    sickShares,
    back: shareOf(calls.slice(-2 * perSecond), sick) / shareOf(calls.slice(0, faultAt * perSecond), sick),
    steepest: Math.max(...sickShares.map((share, second) => (second < returnAt ? 0 : share - (sickShares[second - 1] ?? 0)))),
    rate: ((calls.length - 1) / (last - start)) * 1000,
    lateMs: Math.max(...calls.map(({ sent, due }) => sent - due)),
    heldUpMs: origins.heldUpMs,
    probes: origins.probes.reduce((sum, count) => sum + count, 0),
    phases: phases.map((phase) => phaseFigures(phase, byPhase.get(phase) ?? [], seen.filter(([, , at]) => phaseAt(at) === phase), sick)),
  };
}

function phaseFigures(phase: Phase, calls: readonly Call[], seen: readonly Seen[], sick: readonly number[]): PhaseFigures {
  const latencies = calls.map(latency);
  return {
    phase,
    calls: calls.length,
    failed: Object.fromEntries([...Map.groupBy(calls.filter(isFailed), ({ outcome }) => outcome)].map(([code, { length }]) => [code, length])),
    slow: calls.filter(isSlow).length,
    p50: quantile(latencies, 0.5),
    p99: quantile(latencies, 0.99),
    max: Math.max(...latencies),
    answered: localities.map((_, locality) => shareOf(calls, endpoints.flatMap((endpoint, i) => (endpoint.locality === locality ? [i] : [])))),
    arrived: seen.length,
    arrivedSick: seen.filter(([, endpoint]) => sick.includes(endpoint)).length,
  };
}

const isFailed = ({ outcome }: Call) => outcome !== "ok";
const latency = ({ due, ended }: Call) => ended - due;
const isSlow = (call: Call) => latency(call) > slowMs;

/** What some endpoints have of the good replies. */
function shareOf(calls: readonly Call[], wanted: readonly number[]): number {
  const good = calls.filter((call) => !isFailed(call));
  return good.filter(({ by }) => wanted.includes(by)).length / good.length;
}
