import type { Ports } from "./ports.ts";

const mostBytes = 16 * 1024 * 1024;
const mostMs = 500;

/**
 * Reads on and forgets what a caller is still sending, within bounds. An answer that comes before the request was read
 * makes workerd close the connection, and the caller, still writing, sees a broken pipe in the place of the answer.
 */
export async function drain(ports: Ports, request: Request): Promise<void> {
  if (request.body === null || request.body.locked) return;
  const reader = request.body.getReader();
  const late = Promise.withResolvers<undefined>();
  const cancel = ports.after(mostMs, () => late.resolve(undefined));
  try {
    for (let size = 0; size < mostBytes; ) {
      const next = await Promise.race([reader.read(), late.promise]);
      if (next === undefined || next.done) break;
      size += next.value.length;
    }
  } catch {
    // The caller has gone: there is nothing left to read for.
  } finally {
    cancel();
  }
}
