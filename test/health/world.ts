import type { LogEntry, Ports, Store, Transport } from "../../worker/proxy/ports.ts";
import { noon } from "../core/health/tables.ts";

/** Ports over a clock that stands still until a test moves it, a store in memory and origins that are functions. */
export interface World extends Ports {
  readonly store: Store;
  readonly documents: Map<string, Uint8Array>;
  readonly writes: string[];
  readonly logged: LogEntry[];
  /** Moves the clock, and runs what was to run until then. */
  pass(ms: number): Promise<void>;
  /** What the store does before it answers. */
  storing: (what: "get" | "put") => Promise<void> | void;
}

export function world(transport: Transport = () => Promise.reject(new Error("no origin"))): World {
  let now = noon;
  let timers: { at: number; run: () => void }[] = [];
  const documents = new Map<string, Uint8Array>();
  const writes: string[] = [];
  const logged: LogEntry[] = [];
  const ports: World = {
    transport,
    documents,
    writes,
    logged,
    now: () => now,
    after(ms, run) {
      const timer = { at: now + ms, run };
      timers.push(timer);
      return () => void (timers = timers.filter((other) => other !== timer));
    },
    endsWithReply: false,
    random: () => 0.5,
    log: (entry) => logged.push(entry),
    secret: () => undefined,
    fetch: () => Promise.resolve({ failure: "nothing can be fetched" }),
    limiter: () => undefined,
    tally: null,
    board: null,
    storing: () => {},
    store: {
      async get(key) {
        await ports.storing("get");
        return documents.get(key) ?? null;
      },
      async put(key, bytes) {
        await ports.storing("put");
        writes.push(key);
        documents.set(key, bytes);
      },
    },
    async pass(ms) {
      now += ms;
      const ripe = timers.filter(({ at }) => at <= now);
      timers = timers.filter(({ at }) => at > now);
      for (const { run } of ripe) run();
      await settled();
    },
  };
  return ports;
}

/** Lets all that can go on without a timer go on. */
export function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
