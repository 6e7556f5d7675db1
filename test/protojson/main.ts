import { createFileRegistry, fromBinary } from "@bufbuild/protobuf";
import { FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";
import { readFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { kinds } from "./call.ts";
import { edgeItems } from "./edges.ts";
import { type Item, judge, type Sides, type Verdict } from "./judge.ts";
import { sampleMessages } from "./messages.ts";
import { descriptors, installOrigin, type Running, startOrigin } from "./origin.ts";
import { startProxy } from "./proxy.ts";
import { type Judged, report } from "./report.ts";
import { hardReasons, spell } from "./spell.ts";

const usage = `usage: npm run protojson -- [options]

Sends JSON to a connect-go origin directly, and through the proxy to one that takes protobuf alone, and compares the answers
as values: generated messages in many spellings, and edge cases, by every kind of method.

  --messages N   how many to generate; default 10000
  --seed N       what to generate them from; default 1

Exits 0 if known.ts explains every difference, 1 if not, 2 if nothing could be measured.
`;

const concurrency = 16;
const messagesPerStream = 10;
/** One message in so many is spelled in a way that shows a known difference, which may hide what else there is. */
const hardOneIn = 20;

/** `npm run protojson -- [options]`: see `usage`. */
async function main(args: readonly string[]): Promise<number> {
  let running: Running[] = [];
  try {
    const { values } = parseArgs({ args: [...args], options: { messages: { type: "string", default: "10000" }, seed: { type: "string", default: "1" } } });
    const [count, seed] = [wholeNumber("messages", values.messages), wholeNumber("seed", values.seed)];
    await installOrigin();
    const [origin, protoOnly] = await Promise.all([startOrigin({ protoOnly: false }), startOrigin({ protoOnly: true })]);
    running = [origin, protoOnly];
    const proxy = await startProxy(protoOnly.url);
    running = [proxy, origin, protoOnly];
    const sides = { direct: origin.url, through: proxy.url };
    const { text, passed, failed } = report(await measure(sides, count, seed));
    process.stdout.write(`${text}${passed} passed, ${failed} failed\n`);
    return failed === 0 && passed > 0 ? 0 : 1;
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    if (error instanceof TypeError && "code" in error) process.stderr.write(`\n${usage}`);
    return 2;
  } finally {
    for (const { stop } of running) await stop();
  }
}

function wholeNumber(name: string, text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new Error(`Cannot use --${name} as it must be a whole number below 10^9: current value is ${text}`);
  return Number(text);
}

async function measure(sides: Sides, count: number, seed: number): Promise<Judged> {
  const messages = await judgeAll(sides, spelled(count, seed));
  const edges = await judgeAll(sides, kinds.flatMap((kind) => edgeItems().map((item) => ({ kind, items: [item] }))));
  return { messages, edges };
}

type Call = { readonly kind: (typeof kinds)[number]; readonly items: readonly Item[] };

/** The calls with the generated messages, an equal share for each kind of method. */
function spelled(count: number, seed: number): Call[] {
  const registry = createFileRegistry(fromBinary(FileDescriptorSetSchema, readFileSync(descriptors)));
  const type = registry.getMessage("test.protojson.v1.Every")!;
  const random = mulberry32(seed);
  const items = sampleMessages(count, seed).map((json, i) => spell(type, json, { registry, random, hard: i % hardOneIn === 0 ? hardReasons[(i / hardOneIn) % hardReasons.length] : undefined }));
  return kinds.flatMap((kind, k) => {
    const share = items.slice(Math.floor((k * count) / kinds.length), Math.floor(((k + 1) * count) / kinds.length));
    const perCall = kind === "unary" ? 1 : messagesPerStream;
    return Array.from({ length: Math.ceil(share.length / perCall) }, (_, i) => ({ kind, items: share.slice(i * perCall, (i + 1) * perCall) }));
  });
}

async function judgeAll(sides: Sides, calls: readonly Call[]): Promise<Verdict[]> {
  const verdicts: Verdict[] = [];
  const left = calls.values();
  const worker = async (): Promise<void> => {
    for (const { kind, items } of left) verdicts.push(...(await judge(sides, kind, items)));
  };
  await Promise.all(Array.from({ length: concurrency }, worker));
  return verdicts;
}

/** https://gist.github.com/tommyettinger/46a874533244883189143505d203312c */
function mulberry32(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

process.exitCode = await main(process.argv.slice(2));
