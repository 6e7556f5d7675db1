import { setTimeout as sleep } from "node:timers/promises";
import type { Served } from "../cli/serve/serve.ts";
import { writeEnvelope } from "../worker/core/protocol/envelope.ts";
import { load, post } from "./load.ts";
import { chunk, getBook, listBooks, request } from "./messages.ts";
import { memory } from "./process.ts";
import { type BodyFraming, type Outcomes, readSlowly, uploadSlowly } from "./slow.ts";
import { quantile } from "./stats.ts";
import { serveProxy, type Shape } from "./workers.ts";

/** All memory is resident, in bytes over the idle value after a warm-up. */
export interface MemoryMeasured {
  readonly reader: {
    /** At 25, 50, 75 and 100 % of the stream. */
    readonly quarters: readonly number[];
    readonly highest: number;
  };
  readonly uploads: readonly UploadsMeasured[];
}

export interface UploadsMeasured extends Outcomes {
  readonly name: string;
  readonly highest: number;
  /** 3 s after the last upload ended. */
  readonly after: number;
  /** Small calls made meanwhile: how many, how many of them were not answered, and the rest's latency in milliseconds. */
  readonly small: { readonly calls: number; readonly failed: number; readonly p99: number };
}

/** A stream and the rate at which it is read, and how many uploads there are at once. */
const messages = 100;
const bytesPerSecond = 15e6;
const uploads = 100;

/** What the proxy holds while callers are slow: one that reads a stream, and many that send large unary calls. */
export async function measureMemory(origin: string): Promise<MemoryMeasured> {
  return {
    reader: await measureReader(origin),
    uploads: [
      await measureUploads(origin, "uploads", uploads, "content-length"),
      await measureUploads(origin, "chunked uploads", uploads, "chunked"),
      await measureUploads(origin, "small calls alone", 0, "content-length"),
    ],
  };
}

async function measureReader(origin: string): Promise<MemoryMeasured["reader"]> {
  return warm(origin, { dialect: "CONNECT", codecs: "PROTO, JSON", streams: "WATCHED" }, async ({ port, growth }) => {
    const quarters: number[] = [];
    const total = messages * chunk.length;
    await readSlowly({
      port,
      request: post(listBooks, "application/connect+proto", writeEnvelope(0, request.proto), `bench-messages: ${messages}\r\n`),
      bytesPerSecond,
      onBytes(bytes) {
        while (quarters.length < 4 && bytes >= (total * (quarters.length + 1)) / 4) quarters.push(growth.now());
      },
    });
    if (quarters.length < 4) throw new Error(`Cannot go on as the stream must be whole: current value is less than ${total} bytes`);
    return { quarters, highest: growth.highest() };
  });
}

async function measureUploads(origin: string, name: string, count: number, framing: BodyFraming): Promise<UploadsMeasured> {
  return warm(origin, { dialect: "GRPC_WEB", codecs: "PROTO, JSON", streams: "WATCHED" }, async ({ port, growth }) => {
    const stop = new AbortController();
    const small = smallCalls(`http://127.0.0.1:${port}${getBook}`, stop.signal);
    const outcomes = await (count === 0 ? sleep(4000, { answered: 0, refused: 0, broken: 0 }) : uploadSlowly(port, count, framing));
    stop.abort();
    const { calls, latencies } = await small;
    const highest = growth.highest();
    await sleep(3000);
    return { name, ...outcomes, highest, after: growth.now(), small: { calls, failed: calls - latencies.length, p99: quantile(latencies, 0.99) } };
  });
}

/** Begins a small call every 10 ms, however the others go, until told to stop. */
async function smallCalls(url: string, stop: AbortSignal): Promise<{ readonly calls: number; readonly latencies: readonly number[] }> {
  const latencies: number[] = [];
  const calls: Promise<void>[] = [];
  const call = async () => {
    const start = performance.now();
    const response = await fetch(url, { method: "POST", headers: { "content-type": "application/proto" }, body: request.proto });
    await response.arrayBuffer();
    if (response.ok) latencies.push(performance.now() - start);
  };
  while (!stop.aborted) {
    calls.push(call().catch(() => {}));
    await sleep(10);
  }
  await Promise.all(calls);
  return { calls: calls.length, latencies };
}

interface Warm {
  readonly port: number;
  readonly growth: Growth;
}

/** Serves a proxy of its own, warms it up with small calls, lets it come to rest, and measures. */
async function warm<T>(origin: string, shape: Shape, measure: (warm: Warm) => Promise<T>): Promise<T> {
  const served: Served = await serveProxy(origin, shape);
  const port = Number(new URL(served.url).port);
  try {
    await load({ port, request: post(getBook, "application/proto", request.proto), connections: 4, ms: 1000 });
    await sleep(1000);
    const growth = watchGrowth(served.pid);
    try {
      return await measure({ port, growth });
    } finally {
      growth.stop();
      process.stderr.write(".");
    }
  } finally {
    await served.stop();
  }
}

interface Growth {
  now(): number;
  highest(): number;
  stop(): void;
}

/** Looks every 100 ms; peaks in between are seen where they are higher than the process ever was before. */
function watchGrowth(pid: number): Growth {
  const idle = memory(pid);
  let most = idle.now;
  const sample = () => {
    const { now, highest } = memory(pid);
    most = Math.max(most, highest > idle.highest ? highest : now);
    return now;
  };
  const timer = setInterval(sample, 100);
  return {
    now: () => sample() - idle.now,
    highest: () => Math.max(sample(), most) - idle.now,
    stop: () => clearInterval(timer),
  };
}
