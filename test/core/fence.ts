/**
 * worker/core has no clock, no randomness, no timers and no network. Here each of them throws when it is called from
 * there (the test runner and fast-check keep theirs).
 */
function forbid<T extends object>(owner: T, name: keyof T & string): void {
  const real = owner[name] as (...args: unknown[]) => unknown;
  const fenced = function (this: unknown, ...args: unknown[]): unknown {
    const caller = new Error("fence").stack?.split("\n")[2] ?? "";
    if (caller.includes("/worker/core/")) throw new Error(`${name} was called from worker/core`);
    return real.apply(this, args);
  };
  owner[name] = Object.assign(fenced, real) as T[typeof name];
}

forbid(globalThis, "fetch");
forbid(globalThis, "setTimeout");
forbid(globalThis, "setInterval");
forbid(globalThis, "queueMicrotask");
forbid(Date, "now");
forbid(Math, "random");
forbid(performance, "now");
