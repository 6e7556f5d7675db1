import type { Simulated } from "./simulate.ts";
import { figuresOf } from "./report.ts";
import { bucketMs } from "./tally.ts";

/** What is drawn of a scenario: these strategies, each in a colour that is seen on white and on black. */
const lines = [
  { name: "place alone", colour: "#8b8b8b" },
  { name: "table 60 s", colour: "#b07d2b" },
  { name: "table 10 s", colour: "#d9822b" },
  { name: "five in a row", colour: "#3b82d6" },
  { name: "unshared", colour: "#7c5cd6" },
  { name: "no table", colour: "#2fa36b" },
  { name: "defaults", colour: "#d1477a" },
];

const [width, height] = [960, 460];
const box = { left: 64, right: 690, top: 64, bottom: 400 };
/** The axis is logarithmic, since what matters is around 1 %; nothing is shown below the least. */
const [least, most] = [0.001, 1];

/** Share of the fleet's calls that touched the dead region, for each 10 s since its death, as SVG. */
export function plot(simulated: Simulated, scenario: string): string {
  const drawn = lines.flatMap(({ name, colour }) => {
    const touched = figuresOf(simulated, scenario, name)?.touched;
    return touched === undefined ? [] : [{ name, colour, touched }];
  });
  const buckets = drawn[0]?.touched.length ?? 1;
  const x = (bucket: number): number => box.left + ((box.right - box.left) * bucket) / buckets;
  const y = (share: number): number => box.bottom - ((box.bottom - box.top) * Math.log(Math.max(share, least) / least)) / Math.log(most / least);
  const labelled = spread(drawn.map(({ touched }) => y(touched.at(-1)!)));
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-labelledby="title">`,
    `<title id="title">Share of calls that touched a dead region, by time since its death, for each strategy</title>`,
    `<style>text{font:13px system-ui,sans-serif;fill:#24292f}.ground{fill:#fff}.grid{stroke:#d0d7de}.bar{stroke:#24292f;stroke-dasharray:5 4}path{fill:none;stroke-width:2.2}`,
    `@media(prefers-color-scheme:dark){text{fill:#e6edf3}.ground{fill:#0d1117}.grid{stroke:#30363d}.bar{stroke:#e6edf3}}</style>`,
    `<rect class="ground" width="${width}" height="${height}"/>`,
    text(box.left, 26, "Calls that touched the dead region", `font-weight="600" font-size="16"`),
    text(box.left, 46, `share of all calls of the fleet, for each 10 s; ${Math.round((figuresOf(simulated, scenario, "place alone")?.touched[0] ?? NaN) * 100)} % are at home there`),
    ...[1, 0.1, 0.01, 0.001].flatMap((share) => [rule(share === 0.01 ? "bar" : "grid", y(share)), text(box.left - 8, y(share) + 4, share === least ? "≤ 0.1 %" : `${share * 100} %`, `text-anchor="end"`)]),
    text(box.right + 6, y(0.01) + 4, "aim, from 10 s on"),
    ...Array.from({ length: Math.floor((buckets * bucketMs) / 60_000) + 1 }, (_, minute) => text(x((minute * 60_000) / bucketMs), box.bottom + 20, `${minute}`, `text-anchor="middle"`)),
    text((box.left + box.right) / 2, box.bottom + 42, "minutes since the region died", `text-anchor="middle"`),
    ...drawn.map(({ colour, touched }) => `<path stroke="${colour}" d="${touched.map((share, i) => `${i === 0 ? "M" : "L"}${round(x(i + 0.5))} ${round(y(share))}`).join("")}"/>`),
    ...drawn.flatMap(({ name, colour }, i) => [
      `<line x1="${box.right + 6}" x2="${box.right + 22}" y1="${round(labelled[i]!)}" y2="${round(labelled[i]!)}" stroke="${colour}" stroke-width="4"/>`,
      text(box.right + 28, labelled[i]! + 4, name),
    ]),
    "</svg>",
    "",
  ].join("\n");
}

function text(x: number, y: number, words: string, more = ""): string {
  return `<text x="${round(x)}" y="${round(y)}"${more === "" ? "" : ` ${more}`}>${words}</text>`;
}

function rule(kind: string, y: number): string {
  return `<line class="${kind}" x1="${box.left}" x2="${box.right}" y1="${round(y)}" y2="${round(y)}"/>`;
}

/** Heights for labels that do not run into each other, near where they should be. */
function spread(wanted: readonly number[]): number[] {
  const gap = 18;
  const placed: number[] = Array.from({ length: wanted.length }, () => 0);
  let above = box.top - gap;
  for (const i of [...wanted.keys()].sort((a, b) => wanted[a]! - wanted[b]! || a - b)) placed[i] = above = Math.max(wanted[i]!, above + gap);
  const over = Math.max(0, Math.max(...placed) - (box.bottom + 10));
  // What ran out at the bottom pushes up those above it.
  let below = box.bottom + 10 + gap;
  for (const i of [...placed.keys()].sort((a, b) => placed[b]! - placed[a]!)) {
    if (over > 0) placed[i] = Math.min(placed[i]!, below - gap);
    below = placed[i]!;
  }
  return placed;
}

function round(value: number): string {
  return value.toFixed(1);
}
