import type { Served } from "../cli/serve/serve.ts";
import { fineCpuUs } from "./process.ts";
import { packagePath } from "../cli/serve/root.ts";
import { median } from "./stats.ts";
import { serveProxy } from "./workers.ts";

/**
 * What it costs to start the proxy: CPU of the whole process up to its first reply, over that with an empty Worker in its place (the ticker,
 * the objects and the network beside it are there, too), in milliseconds. The two are started in turn; the median of the differences.
 */
export async function measureEvaluation(starts: number): Promise<number> {
  // It is never asked: the first reply is that of the liveness page.
  const origin = "http://127.0.0.1:9";
  const start = (worker?: string) => serveProxy(origin, { dialect: "CONNECT", codecs: "PROTO, JSON", streams: "WATCHED" }, worker);
  const differences: number[] = [];
  for (let i = 0; i < starts; i++) {
    const without = await cpuToFirstReply(() => start(packagePath("bench/empty.ts")));
    const withProxy = await cpuToFirstReply(() => start());
    differences.push((withProxy - without) / 1000);
    process.stderr.write(".");
  }
  process.stderr.write("\n");
  return median(differences);
}

async function cpuToFirstReply(start: () => Promise<Served>): Promise<number> {
  const served = await start();
  try {
    const response = await fetch(`${served.url}/healthz`);
    await response.arrayBuffer();
    return fineCpuUs(served.pid);
  } finally {
    await served.stop();
  }
}
