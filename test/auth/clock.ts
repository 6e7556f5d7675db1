/** Time that a test drives. What runs in it waits for timers of this clock alone. */
export interface Clock {
  /** Milliseconds since the epoch. */
  now(): number;
  after(ms: number, then: () => void): () => void;
  /** Goes on by so many milliseconds, and runs what is due, in order. */
  advance(ms: number): void;
  wait(ms: number): Promise<void>;
}

export function clock(start: number): Clock {
  let now = start;
  const timers: { readonly at: number; readonly run: () => void }[] = [];
  const after = (ms: number, then: () => void) => {
    const timer = { at: now + ms, run: then };
    const index = timers.findIndex(({ at }) => at > timer.at);
    timers.splice(index === -1 ? timers.length : index, 0, timer);
    return () => {
      const at = timers.indexOf(timer);
      if (at !== -1) timers.splice(at, 1);
    };
  };
  return {
    now: () => now,
    after,
    advance(ms) {
      const until = now + ms;
      while (timers.length > 0 && timers[0]!.at <= until) {
        const timer = timers.shift()!;
        now = Math.max(now, timer.at);
        timer.run();
      }
      now = until;
    },
    wait: (ms) => new Promise((resolve) => void after(ms, resolve)),
  };
}

/** Lets everything run that waits for no timer, and for no thread. */
export function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
