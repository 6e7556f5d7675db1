import { figuresOf, grayRatio, mean, percent } from "./report.ts";
import type { Simulated } from "./simulate.ts";
import { bucketMs } from "./tally.ts";

/** What the figures mean for whoever chooses the defaults, in words: to be read again when the figures change much. */
export function findings(simulated: Simulated): string {
  const touched = (scenario: string, strategy: string): readonly number[] => figuresOf(simulated, scenario, strategy)?.touched ?? [];
  const second = (strategy: string, scenario = "region refused"): string => percent(touched(scenario, strategy)[1] ?? NaN);
  const minute = (strategy: string, scenario = "region refused"): string => percent(mean(touched(scenario, strategy).slice(2, 6)));
  const most = (strategy: string, scenario: string): string => percent(Math.max(...touched(scenario, strategy).slice(1)));
  const of = (scenario: string, strategy: string, what: "failed" | "failedOnce" | "back"): string => percent(figuresOf(simulated, scenario, strategy)?.[what] ?? NaN);
  const more = (scenario: string, strategy: string, what: "p50" | "p99"): string => `${((figuresOf(simulated, scenario, strategy)?.[what] ?? NaN) - (figuresOf(simulated, "healthy", strategy)?.[what] ?? NaN)).toFixed(0)} ms`;
  const gray = (strategy: string): string => `${grayRatio(simulated, strategy, "p99Later").toFixed(2)} times at home, ${grayRatio(simulated, strategy, "p99LaterOfAll").toFixed(2)} in the fleet`;
  const halvedAfter = (strategy: string): number => (touched("six minutes", strategy).findIndex((share, _, all) => share < all[0]! / 2) * bucketMs) / 1000;
  const writes = (every: number, moved: number): number => simulated.days.find(({ probedEveryMs, moved: share }) => probedEveryMs === every && share === moved)?.writes ?? NaN;

  return `- **Calls that may be repeated are not lost.** With the defaults ${of("region refused", "both", "failed")} of them fail where a region refuses, ${of("region silent", "both", "failed")} where it is silent, ${of("two regions lost", "both", "failed")} where two
  of three are gone; alone, by place, it is ${of("region refused", "place alone", "failed")}. That is retries and hedging: *retries alone* loses ${of("region refused", "retries alone", "failed")}, ${of("region silent", "retries alone", "failed")} and
  ${of("two regions lost", "retries alone", "failed")}, the last as the budget for further attempts of a busy isolate is used up; with ejection there are few of them. What ejection is for above all are the calls that may **not** be repeated: in a silent region ${of("region silent", "retries alone", "failedOnce")} of them fail without it, ${of("region silent", "both", "failedOnce")} with it. No choice of the numbers alone mends that.
- **The aim of 1 % is not met by what is built.** From 10 to 20 s after a region's death ${second("both")} of the fleet's calls still touch it, and ${minute("both")}
  in the 40 s after that (no health at all: ${second("place alone")}). Each isolate has to learn alone, with five failures at each of three endpoints; with a call in
  ten seconds that takes minutes, and isolates that start cold begin anew.
- **What of a data centre's sharing is worth it.** Ejections on a blackboard that is read in the background bring ${second("board")}: a quiet isolate
  reads when it has a call, so what it acts on is ten seconds old. Waiting up to 10 ms for the read: ${second("board, waited")}. What counts is to share the failures in a row, too,
  so that five of a data centre eject as five of an isolate do: ${second("board, all")}. That is worth building; a board with ejections alone is not.
- **A region is ejected too late.** Fifteen failures are needed where three in a row, at two of its endpoints, with none between them that
  went well, tell as much: without any sharing ${second("both")} become ${second("region 3")}, with the board ${second("board, all, region 3")}. One call on probation for a whole region in the place of one for each
  endpoint is a part of it. **Both together meet the aim** where a region refuses (at most ${most("board, all, region 3", "region refused")} in any 10 s) or answers errors (${most("board, all, region 3", "region errors")});
  in a silent one it is ${most("board, all, region 3", "region silent")} at first, as silence is only known when another attempt has answered, and ${minute("board, all, region 3", "region silent")} later. With two regions lost it is not met: ${most("board, all, region 3", "two regions lost")}.
- **Base ejection: 5 s is right.** 30 s changes little while each isolate learns alone (${second("both, eject 30 s")} for ${second("both")}), and makes the return slow: 20 to 40 s after a
  minute's silence a region has ${of("region silent", "both, eject 30 s", "back")} of its calls again for ${of("region silent", "both", "back")}. With the board and the rule for regions 30 s halves what is left (${most("board, all, region 3, 30 s", "region silent")} in a silent region at
  most), at ${of("region silent", "board, all, region 3, 30 s", "back")} for ${of("region silent", "board, all, region 3", "back")}: not worth it.
- **Five failures: three would hardly differ** (${second("both, 3 failures")} for ${second("both")}), as long as endpoints are counted one by one. One failure does (${second("both, 1 failure")}), but
  then each stray error ejects an endpoint, which the rule for regions does not.
- **Hedging after three times the usual, at least 50 ms, is right** (300 ms where nobody knows). A fixed 100 ms is too soon where the living region is far: with two regions lost ${minute("both, hedge 100", "two regions lost")} of
  the calls touch dead ones, for ${minute("both", "two regions lost")}. Without hedging the p99 of a gray failure is ${gray("both, no hedge")}, with it ${gray("both")}. Methods that
  are idempotent but have side effects wait for the 800 ms of an attempt: that is the p99 of a silent region (${more("region silent", "both", "p99")} more). A method that is marked
  NO_SIDE_EFFECTS does not.
- **Gray failure: twice the healthy p99 is not met** (${gray("both")}). Three things hold it up: quiet isolates have too few calls to see a rate; whoever fails
  half of its calls keeps a tenth of its weight; and another attempt leaves the region, which costs the way there though a neighbour would do. *retry nearby* alone: ${gray("retry nearby")};
  with shared rates, and ejection at 30 % of failures: ${gray("all of these")}.
- **A region that is slow as a whole is not noticed** (p50 ${more("region slow", "both", "p50")} more), since endpoints are compared with their neighbours. Here the next region is as far as the delay
  is long, so little would be won; a slower one would deserve it.
- **The table is for long outages.** Swept each minute it turns the fleet ${halvedAfter("table 60 s")} s after a region's death, every 10 s after ${halvedAfter("table 10 s")} s (three failures, 60 s of visibility, up to 60 s of caches).
  From then on nobody touches the region, cold isolates neither, which passive health alone does not reach (${percent(touched("six minutes", "passive").at(-1) ?? NaN)} after six minutes). The price: it keeps a region
  out as long after its return (*back*: ${of("six minutes", "both", "back")} with it, ${of("six minutes", "passive", "back")} without, 20 to 40 s after six minutes).
- **KV writes** are ${writes(60_000, 0)} a day with sweeps each minute, ${writes(10_000, 0)} with one every 10 s. Where the cron never runs in the same isolate twice they are ${writes(60_000, 1)} and
  ${writes(10_000, 1)}, the second over the free plan's 1,000: a cold sweep reads a table that is a minute old, takes it for due, and loses the failures that were counted since, so
  a lost region is written later, too.

What is not simulated: overload of the regions that are left, callers' own retries, slow starts of origins, deadlines shorter than 15 s, streams.
Where isolates of a data centre share memory with nobody, busy fleets do better than this one, and quieter ones worse.`;
}
