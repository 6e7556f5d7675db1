import { endpointKey } from "../../worker/core/balance/endpoint-key.ts";
import { decodeTable } from "../../worker/core/health/codec.ts";
import { type EndpointHealth, type HealthTable, isFresh } from "../../worker/core/health/table.ts";
import { tableKey } from "../../worker/health/documents.ts";
import type { Store } from "../../worker/proxy/ports.ts";
import type { Origin } from "../origins.ts";
import type { EndpointFacts, Switch } from "./facts.ts";

/** The origin of an endpoint. */
export type EndpointOrigin = Pick<Origin, "url" | "runs" | "start" | "stop"> & { readonly cluster: string; readonly region: string };

export interface Endpoints {
  facts(): Promise<readonly EndpointFacts[]>;
  /** Starts or stops an origin. Rejects where its port was taken meanwhile. */
  turn(wanted: Switch): Promise<void>;
  /** Reads what `turn` takes; undefined where it is something else, or names no endpoint. */
  read(text: string): Switch | undefined;
}

/** A copy of the table is read anew after this, in milliseconds: the store of a proxy on Deno is read by a process of its own. */
const keepMs = 1500;

/** What there is to tell of the origins, and the switch that stops and starts each. */
export function endpoints(origins: readonly EndpointOrigin[], store: Store | null): Endpoints {
  let read: { readonly at: number; readonly table: Promise<HealthTable | null> } | undefined;
  const table = (): Promise<HealthTable | null> => {
    const now = Date.now();
    if (read === undefined || now - read.at >= keepMs) read = { at: now, table: readTable(store) };
    return read.table;
  };
  const find = (cluster: unknown, region: unknown) => origins.find((origin) => origin.cluster === cluster && origin.region === region);
  return {
    async facts() {
      const known = await table();
      return origins.map((origin) => factsOf(origin, known, Date.now()));
    },
    async turn({ cluster, region, run }) {
      const origin = find(cluster, region);
      await (run ? origin?.start() : origin?.stop());
    },
    read(text) {
      try {
        const { cluster, region, run } = JSON.parse(text) as Readonly<Record<string, unknown>>;
        const origin = find(cluster, region);
        return origin === undefined || typeof run !== "boolean" ? undefined : { cluster: origin.cluster, region: origin.region, run };
      } catch {
        return undefined;
      }
    },
  };
}

/** Null where there is none, or none that can be read: the proxy then knows no more. */
async function readTable(store: Store | null): Promise<HealthTable | null> {
  try {
    const read = decodeTable((await store?.get(tableKey)) ?? null);
    return "value" in read ? read.value : null;
  } catch {
    return null;
  }
}

function factsOf({ cluster, region, url, runs }: EndpointOrigin, table: HealthTable | null, now: number): EndpointFacts {
  const about = { cluster, region, url, runs: runs() };
  const health = table !== null && isFresh(table, now) ? table.endpoints.get(endpointKey(cluster, region, { url, binding: null })) : undefined;
  if (health === undefined) return { ...about, state: "unknown" };
  const detail = health.state === "healthy" ? [health.detail, ...downFrom(health)].filter(Boolean).join("; ") : health.detail;
  return { ...about, state: health.state, forMs: Math.max(0, now - health.since), ...(detail !== "" && { detail }) };
}

function downFrom({ regions }: EndpointHealth): string[] {
  return [...regions].flatMap(([region, { state, detail }]) => (state === "unhealthy" ? [`down from ${region}: ${detail}`] : []));
}
