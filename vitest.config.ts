import { join } from "node:path";
import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    // Node keeps what it has compiled, so that each `fairlead`, `wrangler` and demo that a test starts is up in half the time.
    env: { NODE_COMPILE_CACHE: join(import.meta.dirname, "node_modules/.cache/node") },
    projects: [
      // The fence: everything in worker/core runs with clock, randomness, timers and network replaced by functions that throw.
      { test: { name: "core", include: ["test/core/**/*.test.ts"], setupFiles: ["test/core/fence.ts"], testTimeout: 30_000, maxWorkers: 3, sequence: { groupOrder: 0 } } },
      // Minutes and hours in a time of their own.
      { test: { name: "hours", include: ["test/auth/**/*.test.ts", "test/simulate/**/*.test.ts"], testTimeout: 30_000, maxWorkers: 3, sequence: { groupOrder: 0 } } },
      { test: { name: "cli", include: ["test/cli/**/*.test.ts", "test/docs/**/*.test.ts", "test/proxy/**/*.test.ts", "test/runtime/**/*.test.ts", "test/health/**/*.test.ts"], testTimeout: 30_000, maxWorkers: 3, sequence: { groupOrder: 0 } } },
      // Whole runtimes on real sockets, so after the rest and three files at a time: they wait more than they work.
      { test: { name: "e2e", include: ["test/e2e/**/*.test.ts", "test/browser/**/*.test.ts"], testTimeout: 30_000, hookTimeout: 60_000, maxWorkers: 3, sequence: { groupOrder: 1 } } },
    ],
  },
});
