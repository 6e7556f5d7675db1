import { perSecond } from "./layout.ts";
import type { Figures } from "./tally.ts";

export interface Bar {
  readonly name: string;
  readonly ok: boolean;
}

/** The failed endpoints have at least this part of their share again when the run ends: where slow start begins. */
const leastBack = 0.1;
/** With slow start their share rises by less than this from one second to the next. */
const steepest = 0.5;

/** What a run must keep to. A method that may not be repeated may fail; it must not reach two origins. */
export function verdict(figures: Figures): Bar[] {
  const { drill, failed, slow, slowFirst, reachedTwo, back, rate } = figures;
  const load: Bar = { name: "load within 1 %", ok: Math.abs(rate / perSecond - 1) <= 0.01 };
  if (drill.method === "unsafe") return [load, { name: "no call reaches two origins", ok: reachedTwo === 0 }];
  const hole: Bar[] = drill.fault !== "blackhole" ? [] : drill.method === "safe" ? [{ name: "no call is slow", ok: slow === 0 }] : [{ name: "none is slow but of the first second", ok: slow === slowFirst }];
  return [load, { name: "no call fails", ok: failed === 0 }, ...hole, { name: "traffic returns", ok: back >= leastBack }, { name: "it returns by and by", ok: figures.steepest <= steepest }];
}
