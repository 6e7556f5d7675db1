import type { Served } from "../cli/serve/serve.ts";
import { load, type Loaded, type LoadOptions } from "./load.ts";
import { fineCpuUs, memory } from "./process.ts";
import { median, quantile } from "./stats.ts";

/** One thing that is measured: a server, and the request it gets. */
export interface Case {
  readonly name: string;
  readonly served: Served;
  readonly request: LoadOptions["request"];
}

export interface RoundsOptions {
  readonly rounds: number;
  readonly seconds: number;
  readonly connections: number;
  /** How much work a turn did, in the unit that CPU is divided by. */
  readonly work: (loaded: Loaded) => number;
}

export interface Measured {
  readonly name: string;
  /** CPU in microseconds for a unit of work: median over the rounds. */
  readonly cpu: number;
  /** CPU over that of the first case in the same round: the median, the least and the most over the rounds. */
  readonly ratio: { readonly median: number; readonly least: number; readonly most: number };
  /** In milliseconds. */
  readonly p50: number;
  readonly p99: number;
  readonly perSecond: number;
  /** Resident memory in bytes: at the end over that after the warm-up, and at its highest. */
  readonly grown: number;
  readonly highest: number;
}

/**
 * Gives each case its turn, round after round, so that what else this machine does meets all of them; the cases'
 * order is turned by one each round. A warm-up goes before, long enough for V8 to have compiled what is hot: an isolate lives for hours, and what
 * its first seconds cost is not what a call costs. The first case is the one that the others are measured by.
 */
export async function measureRounds(cases: readonly Case[], options: RoundsOptions): Promise<Measured[]> {
  const { rounds, seconds } = options;
  for (const one of cases) await turn(one, { ...options, seconds: warmUpSeconds });
  const atStart = cases.map(({ served }) => memory(served.pid).now);
  const turns: Turn[][] = cases.map(() => []);
  for (let round = 0; round < rounds; round++) {
    for (let i = 0; i < cases.length; i++) {
      const at = (i + round) % cases.length;
      turns[at]![round] = await turn(cases[at]!, options);
      process.stderr.write(".");
    }
  }
  process.stderr.write("\n");
  const base = turns[0]!;
  return cases.map(({ name, served }, i) => {
    const mine = turns[i]!;
    const latencies = mine.flatMap((t) => t.loaded.latencies);
    const ratios = mine.map((t, round) => t.cpu / base[round]!.cpu);
    const { now, highest } = memory(served.pid);
    return {
      name,
      cpu: median(mine.map((t) => t.cpu)),
      ratio: { median: median(ratios), least: Math.min(...ratios), most: Math.max(...ratios) },
      p50: quantile(latencies, 0.5),
      p99: quantile(latencies, 0.99),
      perSecond: latencies.length / (rounds * seconds),
      grown: now - atStart[i]!,
      highest,
    };
  });
}

/** With `--trace-opt`, V8 still compiled what is hot 14 s after the first call, and nothing at 18 s. */
const warmUpSeconds = 16;

interface Turn {
  readonly cpu: number;
  readonly loaded: Loaded;
}

async function turn({ served, request }: Case, { seconds, connections, work }: RoundsOptions): Promise<Turn> {
  const before = fineCpuUs(served.pid);
  const loaded = await load({ port: Number(new URL(served.url).port), request, connections, ms: seconds * 1000 });
  return { cpu: (fineCpuUs(served.pid) - before) / work(loaded), loaded };
}
