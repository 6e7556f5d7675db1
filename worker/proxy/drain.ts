import type { Ports } from "./ports.ts";
import { within } from "./within.ts";

const mostBytes = 16 * 1024 * 1024;
const mostMs = 500;

export interface Draining {
  /** Settles when who was reading the request does so no more. Default: nobody was. */
  readonly released?: Promise<void> | undefined;
  /** Whoever sends nothing for so many milliseconds is not waited for. Default: 500. */
  readonly quietMs?: number;
}

/**
 * Reads on and forgets what a caller is still sending, within bounds. An answer that comes before the request was read
 * makes workerd close the connection, and the caller, still writing, sees a broken pipe in the place of the answer.
 */
export async function drain(ports: Ports, { body }: Request, { released, quietMs = mostMs }: Draining = {}): Promise<void> {
  if (body === null || (body.locked && released === undefined)) return;
  const until = ports.now() + mostMs;
  try {
    if (body.locked) await within(ports, quietMs, released!);
    const reader = body.getReader();
    for (let size = 0; size < mostBytes && ports.now() < until; ) {
      const next = await within(ports, Math.min(quietMs, Math.max(until - ports.now(), 1)), reader.read());
      if (next.done) return;
      size += next.value.length;
    }
  } catch {
    // The caller has gone, or sends nothing: there is nothing left to read for.
  }
}
