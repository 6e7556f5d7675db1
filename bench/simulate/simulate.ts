import { type Day, days, type Noticed, noticed, steadyDay } from "./day.ts";
import { fleetOf } from "./fleet.ts";
import { compiledConfig } from "./layout.ts";
import type { Options } from "./options.ts";
import { run } from "./run.ts";
import { type Scenario, scenarios } from "./scenarios.ts";
import { type Strategy, strategies } from "./strategies.ts";
import { type Figures, tally } from "./tally.ts";

export interface Simulated {
  readonly options: Options;
  readonly colos: number;
  readonly isolates: number;
  readonly scenarios: readonly Scenario[];
  readonly strategies: readonly Strategy[];
  /** One for each scenario and strategy. */
  readonly figures: readonly Figures[];
  readonly days: readonly Day[];
  readonly noticed: readonly Noticed[];
}

const quickScenarios = ["healthy", "region refused", "endpoint gray"];
const quickStrategies = ["place alone", "table 10 s", "unshared", "defaults"];

/** Everything, or with `quick` a part of it in a smaller fleet; `onRun` is told of each run before it begins. */
export async function simulate(options: Options, onRun: (what: string) => void = () => {}): Promise<Simulated> {
  const { quick, seed } = options;
  const size = quick ? { colos: 5, isolates: 100 } : { colos: 50, isolates: 1000 };
  const base = await compiledConfig();
  const fleet = fleetOf(seed, size);
  const chosen = {
    scenarios: quick ? scenarios.filter(({ name }) => quickScenarios.includes(name)) : scenarios,
    strategies: quick ? strategies.filter(({ name }) => quickStrategies.includes(name)) : strategies,
  };
  const figures: Figures[] = [];
  for (const scenario of chosen.scenarios) {
    for (const strategy of chosen.strategies.filter(({ name }) => scenario.only?.includes(name) ?? true)) {
      onRun(`${scenario.name}, ${strategy.name}`);
      figures.push(tally(scenario, strategy, await run(base, fleet, scenario, strategy, seed)));
    }
  }
  onRun("a day");
  const wanted = quick ? days.filter(({ moved }) => moved === 0) : days;
  const ofDays: Day[] = [];
  const ofNoticing: Noticed[] = [];
  for (const day of wanted) {
    ofDays.push(await steadyDay(base, fleet, seed, day));
    ofNoticing.push(await noticed(base, fleet, seed, day));
  }
  return { options, ...size, ...chosen, figures, days: ofDays, noticed: ofNoticing };
}
