/** Time that passes only when nothing is left to do at an instant. Milliseconds from the start of the fault; before it, less than 0. */
export interface Clock {
  readonly now: () => number;
  /** Runs `then` in `ms` milliseconds, unless the function that it gives back is called before. */
  readonly after: (ms: number, then: () => void) => () => void;
  /** Lets time pass up to and including `until`, event by event. Rejects with what an event throws. */
  run(until: number): Promise<void>;
}

interface Event {
  readonly at: number;
  readonly order: number;
  run: (() => void) | undefined;
}

/** So many turns are asked of Node at once; between two of them it empties its queue of promises. */
const turns = 256;

/**
 * A queue of events; those of one instant come in the order in which they were asked for. Between two events all that
 * promises can do without a timer is done, so that what follows from an event happens at its time.
 */
export function virtualClock(start: number): Clock {
  const heap: Event[] = [];
  let now = start;
  let order = 0;

  /** One event; false: none is left until then. */
  function step(until: number): boolean {
    for (let top = heap[0]; top !== undefined && top.at <= until; top = heap[0]) {
      pop(heap);
      if (top.run === undefined) continue;
      now = top.at;
      top.run();
      return true;
    }
    now = until;
    return false;
  }

  return {
    now: () => now,
    after(ms, then) {
      const event: Event = { at: now + Math.max(0, ms), order: order++, run: then };
      push(heap, event);
      return () => void (event.run = undefined);
    },
    run(until) {
      return new Promise((resolve, reject) => {
        let left = 0;
        let over = false;
        const turn = (): void => {
          left--;
          if (over) return;
          try {
            over = !step(until);
            if (over) resolve();
          } catch (error) {
            over = true;
            reject(error as Error);
          }
          if (left === 0) arm();
        };
        const arm = (): void => {
          if (over) return;
          for (left = 0; left < turns; left++) setImmediate(turn);
        };
        arm();
      });
    },
  };
}

function before(a: Event, b: Event): boolean {
  return a.at < b.at || (a.at === b.at && a.order < b.order);
}

function push(heap: Event[], event: Event): void {
  let i = heap.push(event) - 1;
  while (i > 0) {
    const up = (i - 1) >> 1;
    if (!before(event, heap[up]!)) break;
    heap[i] = heap[up]!;
    i = up;
  }
  heap[i] = event;
}

function pop(heap: Event[]): void {
  const last = heap.pop()!;
  if (heap.length === 0) return;
  let i = 0;
  for (;;) {
    let down = 2 * i + 1;
    if (down >= heap.length) break;
    if (down + 1 < heap.length && before(heap[down + 1]!, heap[down]!)) down++;
    if (!before(heap[down]!, last)) break;
    heap[i] = heap[down]!;
    i = down;
  }
  heap[i] = last;
}
