import { type Clock, turn } from "./clock.ts";

/** How calls ended: how many with each code, and what 99 of 100 took no longer than, in milliseconds of the test's time. */
export interface Ended {
  readonly codes: Readonly<Record<string, number>>;
  readonly p99: number;
}

type Calling = (index: number) => Promise<{ readonly code: string; readonly ms: number }>;
type Telling = (second: number) => void | Promise<void>;

/** Calls 100 times a second (`perSecond`) for so long, whatever becomes of the calls; `at` is told each second before it begins. */
export async function load(clock: Clock, seconds: number, call: Calling, at: Telling = () => {}, perSecond = 100): Promise<Ended> {
  const codes: Record<string, number> = {};
  const took: number[] = [];
  const underWay = new Set<number>();
  const every = 100 / perSecond;
  let failed: unknown;
  const note = async (index: number): Promise<void> => {
    underWay.add(index);
    try {
      const { code, ms } = await call(index);
      codes[code] = (codes[code] ?? 0) + 1;
      took.push(ms);
    } catch (error) {
      failed ??= error;
    }
    underWay.delete(index);
  };
  for (let tick = 0; tick < seconds * 100; tick++) {
    if (tick % 100 === 0) await at(tick / 100);
    if (tick % every === 0) void note(tick / every);
    await turn();
    clock.advance(10);
    // Threads that verify signatures are not in the test's time: they are waited for.
    for (let turns = 0; underWay.size > 5 && turns < 300; turns++) await turn();
  }
  for (let i = 0; underWay.size > 0 && i < 100_000; i++) {
    await turn();
    clock.advance(1);
  }
  if (failed !== undefined) throw failed;
  took.sort((a, b) => a - b);
  return { codes, p99: took[Math.floor(took.length * 0.99)] ?? NaN };
}
