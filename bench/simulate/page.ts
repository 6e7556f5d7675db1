import { findings } from "./findings.ts";
import { daysGrid, detail, type Grid, percent, summary } from "./report.ts";
import type { Simulated } from "./simulate.ts";
import { aims } from "./verdict.ts";

/** The strategies that are held to the aims: what less than the defaults gives, and the defaults. */
export const compared: readonly string[] = ["place alone", "five in a row", "unshared", "defaults", "no rate", "no region"];

/** docs/simulation.md. */
export function page(simulated: Simulated): string {
  const { colos, isolates, options, scenarios, strategies, figures } = simulated;
  const calls = figures.reduce((sum, one) => sum + one.calls, 0);
  return `# Simulation

<!-- Written by "npm run simulate": change bench/simulate/. -->

What does a fleet of the proxy do when origins fail, most of whose isolates see a call in ten seconds? \`npm run simulate\` runs
one in virtual time (seed ${options.seed}, ${(calls / 1e6).toFixed(1)} million calls while something failed), \`-- --quick\` a small one. The same seed gives the same figures.

![Share of calls that touched the dead region over time](images/simulation.svg)

## What is simulated

- ${isolates} isolates in ${colos} data centres around three regions of three endpoints. Of the isolates 2 % have ten calls a second, 18 %
  one in two seconds, 80 % one in ten seconds, at random times; 60 % of the calls have no side effects, 20 % are idempotent, 20 % may not be
  repeated. An isolate lives for ten minutes on average and starts cold. Clocks are off by 50 ms or so, one in fifty by seconds.
- The proxy's own code: \`attempts\`, \`choosing\` and all below them (the board, too), \`healthReader\`, \`sweeper\` and \`sweepForAMinute\`, with a config that
  \`fairlead build\` made. Not \`createProxy\`: with requests and replies a call costs four times as
  much, and comes to the same (a test holds the two beside each other).
  Attempts that a call has under way when it ends tell nothing any more, as on Cloudflare; reads of KV are kept.
- Light takes its way (13 ms for 1,000 km, there and back), an origin works 12 ms (median; p99 48 ms), and one call in 1,000 that it answers
  fails with \`unavailable\` though nothing is wrong.
- The board of a data centre answers after 1 to 6 ms, and takes as long to be written to.
- KV: what is written is seen elsewhere after 60 s, a data centre keeps what it read for 30 s, and a key takes one write a second. The cron
  comes each minute, up to 2 s late, every tenth time in another isolate of another data centre.
- A fault begins 40 s after the first calls, when isolates have few calls behind them; calls go on for 40 s after it.

Scenarios: ${bullets(scenarios)}

Strategies: ${bullets(strategies)}

## The strategies beside each other

${markdown(summary(simulated))}

*failed, worst*: of the calls that may be repeated, in the worst scenario; *not repeatable*: of the others. *0-10 s* and so on: share of the fleet's calls with an attempt at
the dead region, so long after its death; ${percent(atHome(simulated))} of all calls are at home there. *gray*: p99 from 5 s after one endpoint turned gray over the
healthy p99, of calls at home in its region, of those of them that are hedged, and of the whole fleet.

## The aims

${markdown(aims(simulated, compared))}

${markdown(daysGrid(simulated))}

The bar for a day is 1,000 writes. One probe in 1,000 of a healthy endpoint fails. *cron moves*: how often it runs in an isolate that
knows only what KV shows.

## What follows

${findings(simulated)}

## Scenario by scenario

Latencies are of good calls at home in the region that fails, over those of the healthy fleet with the same strategy (in the first table: over *place
alone*). *touched* counts calls with an attempt at an endpoint that is to fail, while it flaps in its good times, too. *attempts*: for each call. *eu / us / ap*: % of the good answers that each region gave. *back*: of the calls at home in the region, what it answers 20 to 40 s after the fault.

${scenarios.map(({ name, what }) => `### ${name}: ${what}\n\n${markdown(detail(simulated, name))}`).join("\n\n")}
`;
}

function atHome({ figures }: Simulated): number {
  return figures.find(({ scenario, strategy }) => scenario === "region refused" && strategy === "place alone")?.touched[0] ?? NaN;
}

function markdown({ head, rows }: Grid): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(" | ")} |`;
  return [line(head), `|---|${head.slice(1).map(() => "---:|").join("")}`, ...rows.map(line)].join("\n");
}

function bullets(of: readonly { readonly name: string; readonly what: string }[]): string {
  return of.map(({ name, what }) => `\n- **${name}**: ${what}`).join("");
}
