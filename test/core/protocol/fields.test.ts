import fc from "fast-check";
import { expect, test } from "vitest";
import { Fields } from "../../../worker/core/protocol/fields.ts";

const name = fc.oneof(fc.constantFrom("a", "A", "x-b", "X-B", "set-cookie", "Set-Cookie", "constructor"), fc.stringMatching(/^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,8}$/));
const value = fc.oneof(fc.constantFrom("", " a ", "\ta", "a, b", "é"), fc.stringMatching(/^[\x20-\x7e]{0,8}$/));
const step = fc.record({ edit: fc.constantFrom("set" as const, "append" as const, "delete" as const), name, value });

test("fields are what a Headers object is, but for the order of names", () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 20 }), (steps) => {
      const fields = new Fields();
      const headers = new Headers();
      for (const { edit, name, value } of steps) for (const one of [fields, headers]) one[edit](name, value);
      expect([...fields].toSorted()).toEqual([...headers].toSorted());
      expect([...new Headers(fields.toInit())]).toEqual([...new Headers([...headers])]);
      expect(fields.getSetCookie()).toEqual(headers.getSetCookie());
      for (const { name } of steps) {
        expect(fields.get(name)).toBe(headers.get(name));
        expect(fields.has(name)).toBe(headers.has(name));
      }
    }),
  );
});

test.each([["a b", "1"], ["", "1"], ["a", "1\n2"], ["a", "\0"], ["a", "日"]])("%j: %j is refused as Headers refuse it", (name, value) => {
  expect(() => new Headers().set(name, value)).toThrow(TypeError);
  expect(() => new Fields().set(name, value)).toThrow(TypeError);
  expect(() => new Fields().append(name, value)).toThrow(TypeError);
});
