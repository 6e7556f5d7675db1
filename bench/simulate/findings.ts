import { figuresOf, grayRatio, mean, milliseconds, percent } from "./report.ts";
import type { Simulated } from "./simulate.ts";
import { bucketMs } from "./tally.ts";

/** What the figures mean for whoever chooses the defaults, in words: to be read again when the figures change much. */
export function findings(simulated: Simulated): string {
  const touched = (scenario: string, strategy: string): readonly number[] => figuresOf(simulated, scenario, strategy)?.touched ?? [];
  const second = (strategy: string, scenario = "region refused"): string => percent(touched(scenario, strategy)[1] ?? NaN);
  const minute = (strategy: string, scenario: string): string => percent(mean(touched(scenario, strategy).slice(2, 6)));
  const most = (strategy: string, scenario: string): string => percent(Math.max(...touched(scenario, strategy).slice(1)));
  const of = (scenario: string, strategy: string, what: "failed" | "failedOnce" | "back"): string => percent(figuresOf(simulated, scenario, strategy)?.[what] ?? NaN);
  const more = (scenario: string, strategy: string, what: "p50" | "p99"): string => milliseconds((figuresOf(simulated, scenario, strategy)?.[what] ?? NaN) - (figuresOf(simulated, "healthy", strategy)?.[what] ?? NaN));
  const p50 = (scenario: string, strategy: string): number => figuresOf(simulated, scenario, strategy)?.p50 ?? NaN;
  const gray = (strategy: string): string => `${grayRatio(simulated, strategy, "p99Later").toFixed(2)} times at home, ${grayRatio(simulated, strategy, "p99LaterOfAll").toFixed(2)} in the fleet`;
  const halvedAfter = (strategy: string): number => (touched("six minutes", strategy).findIndex((share, _, all) => share < all[0]! / 2) * bucketMs) / 1000;
  const writes = (every: number, moved: number): number => simulated.days.find(({ probedEveryMs, moved: share }) => probedEveryMs === every && share === moved)?.writes ?? NaN;

  return `- **Calls that may be repeated are not lost.** With the defaults ${of("region refused", "defaults", "failed")} of them fail where a region refuses, ${of("region silent", "defaults", "failed")} where it is silent, ${of("two regions lost", "defaults", "failed")} where two
  of three are gone; alone, by place, it is ${of("region refused", "place alone", "failed")}. That is retries and hedging (*retries alone*), not ejection. What ejection is for are the
  calls that may **not** be repeated: in a silent region ${of("region silent", "retries alone", "failedOnce")} of them fail without it, ${of("region silent", "unshared", "failedOnce")} with what an isolate learns by itself, ${of("region silent", "defaults", "failedOnce")} with the board.
- **A dead region is touched by less than 1 % of the fleet's calls from 10 s after its death**: at most ${most("defaults", "region refused")} in any 10 s where it refuses, ${most("defaults", "region errors")} where it answers errors, ${most("defaults", "region silent")}
  where it is silent. What is left are the calls that find out whether it is back. With two regions of three lost it is ${most("defaults", "two regions lost")}, since those are twice as many calls of
  nearly everybody.
- **It takes both, the board and the rule for regions.** Without the board ${second("unshared")} still touch it from 10 to 20 s: a quiet isolate needs half a minute for three
  calls. Without the rule ${second("no region")} (${second("no region", "region silent")} in a silent one): five failures at each of three endpoints are fifteen. Neither: ${second("five in a row")}. Five failures in a row in the
  place of three show in the first ten seconds (${percent(touched("region silent", "region 5")[0] ?? NaN)} for ${percent(touched("region silent", "defaults")[0] ?? NaN)} in a silent region); three are not jumpy, as they must be at two endpoints with no good call between them.
- **The board costs** ${(p50("healthy", "defaults") - p50("healthy", "unshared")).toFixed(0)} ms at the median while all is well: a call that finds what it knows older than a second waits for its read, which most calls of a quiet isolate do.
- **Base ejection: 7 s is right.** After 5 s a dead region is asked twice in its first twenty seconds (${most("eject 5 s", "region refused")} in any 10 s where it refuses). 30 s leaves somewhat less (${minute("eject 30 s", "region silent")} for ${minute("defaults", "region silent")} of the calls from 20 to 60 s in a silent region), and makes the return slow: 20 to 40 s after a
  minute's silence a region has ${of("region silent", "eject 30 s", "back")} of its calls again for ${of("region silent", "defaults", "back")}. That a whole data centre asks with one call makes it slower than where each isolate asks (${of("region silent", "five in a row", "back")} with *five in a row*).
- **A slow start of 10 s is enough** for what has just answered a call: with 30 s a region that was silent for a minute has ${of("region silent", "rise 30 s", "back")} of its calls again for ${of("region silent", "defaults", "back")}, and little is won where it fails anew:
  ${minute("rise 30 s", "region flaps")} of all calls touch a region that flaps, for ${minute("defaults", "region flaps")}. Who runs origins that start cold sets more.
- **Gray failure: at most twice the healthy p99 is met**: ${gray("defaults")} (*five in a row*: ${gray("five in a row")}). Shared rates do most of it: without the board it is ${gray("unshared")}. Ejection at 30 % of failures
  adds to it: without, ${gray("no rate")}.
- **Hedging after the time that 95 of 100 calls do not exceed, at least 50 ms, is right.** A fixed 100 ms makes no difference here. Without it the p99 of a silent region is ${more("region silent", "no hedge", "p99")} more in the place of ${more("region silent", "defaults", "p99")}.
- **A region that is slow as a whole is not noticed** (p50 ${more("region slow", "defaults", "p50")} more), since endpoints are compared with their neighbours. Here the next region is as far as the delay
  is long, so little would be won; a slower one would deserve it.
- **The table is for long outages.** Swept each minute it turns the fleet ${halvedAfter("table 60 s")} s after a region's death, every 10 s after ${halvedAfter("table 10 s")} s (three failures, 60 s of visibility, up to 60 s of caches).
  From then on nobody touches the region at all: without the table ${percent(touched("six minutes", "no table").at(-1) ?? NaN)} still find out after six minutes whether it is back. The price: it keeps a region
  out as long after its return (*back*: ${of("six minutes", "defaults", "back")} with it, ${of("six minutes", "no table", "back")} without, 20 to 40 s after six minutes).
- **KV writes** are ${writes(60_000, 0)} a day with sweeps each minute, ${writes(10_000, 0)} with one every 10 s. Where the cron never runs in the same isolate twice they are ${writes(60_000, 1)} and
  ${writes(10_000, 1)}, the second over the free plan's 1,000: a cold sweep reads a table that is a minute old, takes it for due, and loses the failures that were counted since, so
  a lost region is written later, too. The board writes nothing to KV.

What is not simulated: overload of the regions that are left, callers' own retries, slow starts of origins, deadlines shorter than 15 s, streams, a cache
that forgets its board or answers late.`;
}
