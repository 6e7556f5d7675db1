import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { countedAddress, counter } from "../../../worker/core/auth/rate.ts";
import { recent } from "../../../worker/core/auth/recent.ts";
import { strictJsonOf } from "../../../worker/core/auth/json.ts";
import { retryInfo } from "../../../worker/core/protocol/retry-info.ts";

describe("values that were used lately", () => {
  it("are given back until their time, and never more than there is room for", () => {
    const use = fc.record({ key: fc.nat(30).map(String), size: fc.integer({ min: 1, max: 60 }), ms: fc.nat(20), pass: fc.nat(5) });
    fc.assert(fc.property(fc.array(use, { maxLength: 200 }), (uses) => {
      const held = recent<number>({ count: 10, bytes: 200 });
      const model = new Map<string, { value: number; until: number; size: number }>();
      let now = 0;
      uses.forEach(({ key, size, ms, pass }, value) => {
        now += pass;
        const found = held.get(key, now);
        const known = model.get(key);
        if (found !== undefined) expect([found, known!.until > now]).toEqual([known!.value, true]);
        if (value % 2 === 0) {
          held.set(key, value, now + ms, size);
          model.set(key, { value, until: now + ms, size });
        }
        const left = [...model].filter(([name]) => held.get(name, now) !== undefined);
        expect(left.length).toBeLessThanOrEqual(10);
        expect(left.reduce((sum, [, one]) => sum + one.size, 0)).toBeLessThanOrEqual(200);
      });
    }));
  });

  it("are kept while they are used, whatever comes besides", () => {
    const held = recent<string>({ count: 100, bytes: 1e6 });
    held.set("often", "x", Infinity, 1);
    for (let i = 0; i < 1000; i++) {
      held.set(String(i), "y", Infinity, 1);
      expect(held.get("often", 0)).toBe("x");
    }
    held.delete("often");
    expect(held.get("often", 0)).toBeUndefined();
  });
});

describe("a counter", () => {
  it("lets no more pass than its calls at once and its rate after that, and says how long to wait", () => {
    fc.assert(fc.property(fc.integer({ min: 1, max: 20 }), fc.integer({ min: 100, max: 5000 }), fc.array(fc.nat(500), { minLength: 1, maxLength: 100 }), (calls, periodMs, gaps) => {
      const count = counter({ calls, periodMs });
      const passed: number[] = [];
      let now = 1_000_000;
      for (const gap of gaps) {
        now += gap;
        const wait = count.take("k", now);
        if (wait === 0) passed.push(now);
        else expect(counterAfter(calls, periodMs, passed, now + wait + 0.001)).toBe(true);
      }
      passed.forEach((from, i) => passed.slice(i).forEach((to, n) => expect(n + 1).toBeLessThanOrEqual(calls + ((to - from) * calls) / periodMs + 1e-6)));
    }));
  });

  /** Whether one more may pass at `at`, after those that did. */
  function counterAfter(calls: number, periodMs: number, passed: readonly number[], at: number): boolean {
    const count = counter({ calls, periodMs });
    for (const one of passed) count.take("k", one);
    return count.take("k", at) === 0;
  }

  it("counts each key for itself, and outlives a clock that is put back", () => {
    const count = counter({ calls: 1, periodMs: 1000 });
    expect([count.take("a", 1e6), count.take("b", 1e6), count.take("a", 1e6)]).toEqual([0, 0, 1000]);
    expect(count.take("a", 0)).toBeLessThanOrEqual(1000);
  });

  it.each([["192.0.2.1", "192.0.2.1"], ["2001:db8::1", "2001:db8:0:0"], ["2001:0db8:0:0:1:2:3:4", "2001:db8:0:0"], ["2001:db8:0:1::", "2001:db8:0:1"], ["::1", "0:0:0:0"], ["::ffff:192.0.2.1", "::ffff:192.0.2.1"], ["::ffff:102:304", "::ffff:1.2.3.4"], ["::FFFF:c000:201", "::ffff:192.0.2.1"]])("counts %s as %s", (address, counted) => {
    expect(countedAddress(address)).toBe(counted);
  });

  it("keeps a limit that is used up while its caller goes on, whoever calls besides", () => {
    const count = counter({ calls: 1, periodMs: 1e6 });
    count.take("mine", 0);
    for (let i = 0; i < 30_000; i++) {
      count.take(`other ${i}`, 0);
      if (i % 1000 === 0) expect(count.take("mine", 0)).toBeGreaterThan(0);
    }
  });

  it("goes on where one before it was, without what is over", () => {
    fc.assert(fc.property(fc.integer({ min: 1, max: 5 }), fc.integer({ min: 100, max: 2000 }), fc.array(fc.tuple(fc.constantFrom("a", "b", "c"), fc.nat(500)), { maxLength: 50 }), (calls, periodMs, steps) => {
      const whole = counter({ calls, periodMs });
      let parts = counter({ calls, periodMs });
      let now = 1_000_000;
      for (const [key, gap] of steps) {
        now += gap;
        const accounts = parts.accounts(now);
        expect(accounts.every(([, due]) => due > now)).toBe(true);
        parts = counter({ calls, periodMs }, structuredClone(accounts));
        expect(parts.take(key, now)).toBe(whole.take(key, now));
      }
    }));
  });

  it("forgets the keys used longest ago where they are large", () => {
    const count = counter({ calls: 1, periodMs: 1e6 });
    for (let i = 0; i < 1000; i++) count.take(`${i} ${"x".repeat(8192)}`, 0);
    expect([count.take(`0 ${"x".repeat(8192)}`, 0), count.take(`999 ${"x".repeat(8192)}`, 0) > 0]).toEqual([0, true]);
  });

  it("is told in a RetryInfo", () => {
    expect([...retryInfo(1500).value]).toEqual([0x0a, 8, 0x08, 1, 0x10, 0x80, 0xca, 0xb5, 0xee, 0x01]);
    expect([...retryInfo(300_000).value]).toEqual([0x0a, 3, 0x08, 0xac, 0x02]);
  });
});

describe("JSON in base64url", () => {
  it.each([["9007199254740993", null], ["[1,9007199254740993]", [1, null]], ['{"a":{"b":-12345678901234567890}}', { a: { b: null } }], ["1.0000000000000000001", null], ["1e400", null], ["1e-400", null], ["9007199254740991", 9007199254740991], ["0.30000000000000004", 0.30000000000000004], ["1.50", 1.5], ["0e0", 0], ['"9007199254740993"', "9007199254740993"]])("has in the place of numbers that a double would change null: %s", (text, value) => {
    expect(strictJsonOf(Buffer.from(text).toString("base64url"))).toEqual(value);
  });
  it("is what was written, in any script", () => {
    fc.assert(fc.property(fc.jsonValue(), (value) => {
      const text = JSON.stringify(value);
      expect(strictJsonOf(Buffer.from(text).toString("base64url"))).toEqual(JSON.parse(text));
    }));
  });
  it.each(['{"a":1,"a":1}', '{"a":{"b":1,"b":2}}', '[{"a":1,"\\u0061":2}]', "{", "", '\ufeff{"a":1}', "{}x"])("is none that reads %s", (text) => {
    expect(strictJsonOf(Buffer.from(text).toString("base64url"))).toBeUndefined();
  });
  it("is none in bytes that are not UTF-8", () => expect(strictJsonOf(Buffer.from([0x22, 0xff, 0x22]).toString("base64url"))).toBeUndefined());
});
