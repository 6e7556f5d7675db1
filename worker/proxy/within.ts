import type { Ports } from "../proxy/ports.ts";

/** `work`, or a rejection after `ms` milliseconds: a store that never answers must not stop what waits for it. */
export function within<T>(ports: Pick<Ports, "after">, ms: number, work: Promise<T>): Promise<T> {
  const { promise: late, reject } = Promise.withResolvers<never>();
  const cancel = ports.after(ms, () => reject(new Error(`no answer within ${ms} ms`)));
  return Promise.race([work, late]).finally(cancel);
}

/** Resolves after `ms` milliseconds. */
export function sleep(ports: Pick<Ports, "after">, ms: number): Promise<void> {
  return new Promise((resolve) => void ports.after(ms, resolve));
}
