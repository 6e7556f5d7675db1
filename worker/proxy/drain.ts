import type { Ports } from "./ports.ts";

const mostBytes = 16 * 1024 * 1024;
const mostMs = 500;

/**
 * Reads on and forgets what a caller is still sending, within bounds. An answer that comes before the request was read
 * makes workerd close the connection, and the caller, still writing, sees a broken pipe in the place of the answer.
 * `released` settles when who was reading it does so no more.
 */
export async function drain(ports: Ports, { body }: Request, released?: Promise<void>): Promise<void> {
  if (body === null || (body.locked && released === undefined)) return;
  const late = Promise.withResolvers<undefined>();
  const cancel = ports.after(mostMs, () => late.resolve(undefined));
  try {
    if (body.locked) await Promise.race([released, late.promise]);
    if (!body.locked) await readOn(body.getReader(), late.promise);
  } catch {
    // The caller has gone: there is nothing left to read for.
  } finally {
    cancel();
  }
}

async function readOn(reader: ReadableStreamDefaultReader<Uint8Array>, late: Promise<undefined>): Promise<void> {
  for (let size = 0; size < mostBytes; ) {
    const next = await Promise.race([reader.read(), late]);
    if (next === undefined || next.done) return;
    size += next.value.length;
  }
}
