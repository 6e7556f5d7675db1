import * as fc from "fast-check";
import { expect, it } from "vitest";
import { durationFromText, durationToProtoJson } from "../../cli/config/duration.ts";

it.each([
  ["15s", 15_000],
  ["1.5s", 1500],
  ["500ms", 500],
  ["2m", 120_000],
  ["1h", 3_600_000],
  ["1.1s", 1100],
  ["0s", 0],
  ["-1s", -1000],
])("%s is %d ms", (text, ms) => {
  expect(durationFromText(text)).toBe(ms);
});

it.each(["", "15", "s", "1 s", "1.5", "0.5ms", "0.0001s", "1d", "1h30m", "1e3s", "+1s"])("%j is no duration", (text) => {
  expect(durationFromText(text)).toBeUndefined();
});

it("what is written for protobuf reads back as the same", () => {
  fc.assert(fc.property(fc.integer({ min: 0, max: 86_400_000 }), (ms) => durationFromText(durationToProtoJson(ms)) === ms));
});
