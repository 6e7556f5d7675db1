import { setTimeout as sleep } from "node:timers/promises";
import { type Call, openCallers } from "./callers.ts";
import { faultAt, now, returnAt } from "./layout.ts";
import type { Drill } from "./options.ts";
import { type OriginsReport, startOrigins } from "./origins.ts";
import { serveProxy } from "./proxy.ts";
import { wiresOf } from "./wires.ts";

/** All that was seen in one run; times in milliseconds since 1970. */
export interface Recorded {
  readonly start: number;
  /** When the fault held, and when it was over, as the origins tell. */
  readonly failed: number;
  readonly returned: number;
  readonly calls: readonly Call[];
  readonly origins: OriginsReport;
}

/** Calls before the start, one after another, that are not counted: the first ones pay for what is done once. */
const warmUps = 30;

export async function run(drill: Drill): Promise<Recorded> {
  const wires = wiresOf(drill);
  const origins = await startOrigins(wires.origins === "grpc");
  try {
    const proxy = await serveProxy(origins.urls, drill);
    const callers = openCallers(proxy.url, wires.callers);
    try {
      for (let i = 0; i < warmUps; i++) {
        const { outcome } = await callers.call(-1);
        if (outcome !== "ok") throw new Error(`Cannot begin as calls must be answered before anything fails: current outcome is ${outcome}`);
      }
      const start = now() + 100;
      const at = async (seconds: number, on: boolean) => {
        await sleep(Math.max(0, start + seconds * 1000 - now()));
        return origins.set(drill.fault, on);
      };
      const [calls, [failed, returned]] = await Promise.all([callers.run(start, drill.seconds), (async () => [await at(faultAt, true), await at(returnAt, false)] as const)()]);
      return { start, failed, returned, calls, origins: await origins.report() };
    } finally {
      callers.close();
      await proxy.stop();
    }
  } finally {
    origins.stop();
  }
}
