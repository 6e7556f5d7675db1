import { expect, it } from "vitest";
import { openLifetime } from "../../worker/proxy/lifetime.ts";

const ports: Parameters<typeof openLifetime>[0] = {
  endsWithReply: false,
  now: () => Date.now(),
  after(ms, then) {
    const timer = setTimeout(then, ms);
    return () => clearTimeout(timer);
  },
};
const staying: Parameters<typeof openLifetime>[1] = { left: () => null };
const open = (ms: number) => openLifetime(ports, staying, ms);

it("work that fails after its call is over, or that is begun then, fails nothing else", async () => {
  const rejections: unknown[] = [];
  const note = (reason: unknown) => void rejections.push(reason);
  process.on("unhandledRejection", note);
  const life = open(5);
  const late = new Promise<never>((_, reject) => setTimeout(() => reject(new Error("late")), 15));
  expect(await life.orOver(late)).toBeUndefined();
  expect(life.failure()).toEqual({ kind: "deadline" });
  expect(await life.orOver(Promise.reject(new Error("begun when it was over")))).toBeUndefined();
  await new Promise((resolve) => setTimeout(resolve, 30));
  process.off("unhandledRejection", note);
  expect(rejections).toEqual([]);
});

it("the first failure stays, and aborts what was asked for before and after it", () => {
  const life = open(1000);
  const before = life.signal();
  life.fail({ kind: "left" });
  life.fail({ kind: "deadline" });
  expect([life.failure(), before.aborted, life.signal().aborted]).toEqual([{ kind: "left" }, true, true]);
});
