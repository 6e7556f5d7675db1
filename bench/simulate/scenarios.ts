import { alsoSickRegion, perRegion, sickRegion } from "./layout.ts";

/** What an endpoint does to a call while it is sick. */
export type Fault =
  /** Nobody listens: the platform says so at once, and that the origin was not reached. */
  | "refused"
  /** Nothing comes back; the platform gives up after 19 s. */
  | "silent"
  /** It answers every call with `unavailable`. */
  | "errors"
  /** It takes ten times as long. */
  | "slow"
  /** Every second call fails, the others take ten times as long. */
  | "gray"
  /** Refused for 10 s, well for 10 s, and so on. */
  | "flapping";

export interface Scenario {
  readonly name: string;
  /** For people. */
  readonly what: string;
  readonly fault: Fault | null;
  /** The endpoints that are sick, by region and number: "eu-0". */
  readonly sick: ReadonlySet<string>;
  /** How long the fault lasts, in milliseconds from 0. */
  readonly lastsMs: number;
  /** The strategies that it is for. Default: all. */
  readonly only?: readonly string[];
}

const all = (region: string): string[] => Array.from({ length: perRegion }, (_, i) => `${region}-${i}`);
const one = [`${sickRegion}-0`];
const minute = 60_000;

/** Long enough for a table that is swept each minute to come to bear. */
const long = 6 * minute;

export const scenarios: readonly Scenario[] = [
  scenario("healthy", "nothing fails", null, [], minute),
  scenario("region refused", "all of the nearest region refuses connections", "refused", all(sickRegion), minute),
  { ...scenario("six minutes", "the same for six minutes", "refused", all(sickRegion), long), only: ["place alone", "table 60 s", "table 10 s", "five in a row", "unshared", "no table", "defaults"] },
  scenario("region silent", "all of the nearest region swallows calls (a black hole)", "silent", all(sickRegion), minute),
  scenario("region errors", "all of the nearest region answers `unavailable`", "errors", all(sickRegion), minute),
  scenario("region slow", "all of the nearest region takes ten times as long", "slow", all(sickRegion), minute),
  scenario("region flaps", "all of the nearest region refuses for 10 s, is well for 10 s, and so on", "flapping", all(sickRegion), minute),
  scenario("two regions lost", "two of three regions refuse", "refused", [...all(sickRegion), ...all(alsoSickRegion)], minute),
  scenario("endpoint silent", "one endpoint of nine swallows calls", "silent", one, minute),
  scenario("endpoint gray", "one endpoint: every second call fails, the others take ten times as long", "gray", one, minute),
];

function scenario(name: string, what: string, fault: Fault | null, sick: readonly string[], lastsMs: number): Scenario {
  return { name, what, fault, sick: new Set(sick), lastsMs };
}
