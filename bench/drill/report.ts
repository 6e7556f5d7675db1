import { table } from "../../cli/table.ts";
import { localities, perSecond, slowMs } from "./layout.ts";
import type { Figures, PhaseFigures } from "./tally.ts";
import { verdict } from "./verdict.ts";

/** One run: a row a phase, what the failing endpoints had second by second, and the bars. */
export function report(figures: Figures): string {
  const { drill, calls, failed, slow, slowFirst, reachedTwo, sickShares, back, steepest, rate, lateMs, heldUpMs, probes, phases } = figures;
  const { proxy, fault, method, healthChecks, seconds } = drill;
  const head = ["phase", "calls", "failed", `> ${slowMs} ms`, "p50 ms", "p99 ms", "max ms", ...localities.map(({ name }) => name), "arrived", "at failing", "codes"];
  return [
    `${fault} on ${proxy}, ${method} method, health checks ${healthChecks ? "on" : "off"}: ${seconds} s of ${perSecond} calls/s`,
    "",
    table(head, phases.filter(({ calls }) => calls > 0).map(row), head.slice(1, -1).map((_, i) => i + 1)),
    "",
    `% of the good replies that the failing endpoint${fault === "gray" ? "" : "s"} gave, by second:`,
    ...Array.from({ length: Math.ceil(seconds / 22) }, (_, line) => `  ${String(line * 22).padStart(2)}:${sickShares.slice(line * 22, line * 22 + 22).map((share) => percent(share).padStart(4)).join("")}`),
    "",
    `load ${rate.toFixed(1)}/s, at most ${lateMs.toFixed(0)} ms late; origins held up for ${heldUpMs.toFixed(0)} ms at most; ${probes} health checks`,
    `back to ${percent(back)} % of the share before, at most ${(steepest * 100).toFixed(0)} points a second`,
    `failed ${failed} of ${calls}`,
    `slow ${slow} (${slowFirst} of them begun in the first second)`,
    `reached two origins ${reachedTwo}`,
    `bars: ${verdict(figures).map(({ name, ok }) => `${name} ${ok ? "ok" : "BROKEN"}`).join("; ")}`,
    "",
  ].join("\n");
}

function row({ phase, calls, failed, slow, p50, p99, max, answered, arrived, arrivedSick }: PhaseFigures): string[] {
  return [
    phase,
    String(calls),
    String(Object.values(failed).reduce((sum, count) => sum + count, 0)),
    String(slow),
    ...[p50, p99, max].map((ms) => ms.toFixed(0)),
    ...answered.map((share) => `${percent(share)} %`),
    String(arrived),
    String(arrivedSick),
    Object.entries(failed).map(([code, count]) => `${code} ${count}`).join(", "),
  ];
}

/** Many runs: a row each. */
export function summary(all: readonly Figures[]): string {
  const head = ["proxy", "fault", "method", "calls", "failed", "slow", "in first second", "p99 during", "max", "sick after 1 s", "two origins", "back", "broken"];
  const rows = all.map((figures) => {
    const { drill, calls, failed, slow, slowFirst, reachedTwo, back, phases } = figures;
    const during = phases.find(({ phase }) => phase === "during");
    const broken = verdict(figures).flatMap(({ name, ok }) => (ok ? [] : [name]));
    return [
      drill.proxy,
      drill.fault,
      drill.method,
      ...[calls, failed, slow, slowFirst].map(String),
      (during?.p99 ?? NaN).toFixed(0),
      Math.max(...phases.map(({ max }) => max)).toFixed(0),
      `${percent((during?.arrivedSick ?? NaN) / (during?.calls ?? NaN))} %`,
      String(reachedTwo),
      `${percent(back)} %`,
      broken.join("; "),
    ];
  });
  return table(head, rows, head.slice(3, -1).map((_, i) => i + 3));
}

function percent(share: number): string {
  return Number.isNaN(share) ? "-" : (share * 100).toFixed(0);
}
