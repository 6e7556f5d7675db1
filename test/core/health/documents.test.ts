import { create, toBinary } from "@bufbuild/protobuf";
import { type Timestamp, timestampFromMs, TimestampSchema } from "@bufbuild/protobuf/wkt";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { EndpointHealthSchema, HealthTableSchema, OverridesSchema, type State } from "../../../gen/fairlead/health/v1/health_pb.js";
import { mostBytes } from "../../../worker/core/health/document.ts";
import { shortText } from "../../../worker/core/health/short-text.ts";
import { decodeOverrides, encodeOverrides } from "../../../worker/core/health/codec.ts";
import type { Overrides } from "../../../worker/core/health/overrides.ts";
import { decodeTable, encodeTable } from "../../../worker/core/health/codec.ts";
import { anyTable, health, mangled, noon, table } from "./tables.ts";

const anyOverrides: fc.Arbitrary<Overrides> = fc.record({ writtenAt: fc.nat(), drains: fc.array(fc.record({ target: fc.string(), reason: fc.stringMatching(/^[a-z]*$/), since: fc.nat() }), { maxLength: 4 }), weights: fc.array(fc.record({ target: fc.string(), weight: fc.nat(1_000_000), since: fc.nat() }), { maxLength: 4 }) });

describe.each([
  { document: "a health table", decode: decodeTable, schema: HealthTableSchema, bytes: anyTable.map(encodeTable) },
  { document: "overrides", decode: decodeOverrides, schema: OverridesSchema, bytes: anyOverrides.map(encodeOverrides) },
])("$document", ({ decode, schema, bytes }) => {
  const versioned = (schemaVersion: number) => toBinary(schema, create(schema, { schemaVersion, writtenAt: timestampFromMs(noon) }));

  test("that was cut anywhere is no document", () => {
    fc.assert(fc.property(bytes, fc.nat(), (whole, at) => {
      expect(decode(whole.subarray(0, at % whole.length))).toMatchObject({ none: expect.stringMatching(/^(cut-short|corrupt)$/) });
    }));
  });

  test("is read or refused whatever its bytes are, and never throws", () => {
    fc.assert(fc.property(fc.oneof(fc.uint8Array({ maxLength: 200 }), mangled(bytes), bytes.map((b) => Uint8Array.of(...b, ...b))), (any) => {
      const read = decode(any);
      expect("value" in read || read.none !== undefined).toBe(true);
    }), { numRuns: 2000 });
  });

  test("of an older or newer schema is passed over, with its reason", () => {
    expect(decode(versioned(2))).toEqual({ none: "other-schema" });
    expect(decode(versioned(4_000_000_000))).toEqual({ none: "other-schema" });
    expect(decode(versioned(0))).toEqual({ none: "corrupt" });
    expect(decode(versioned(1))).toHaveProperty("value");
  });

  test("that is not there, or huge, is said to be so", () => {
    expect(decode(null)).toEqual({ none: "missing" });
    expect(decode(new Uint8Array(mostBytes + 1))).toEqual({ none: "too-large" });
  });
});

test("a health table is read back as it was written", () => {
  fc.assert(fc.property(anyTable, (written) => {
    expect(decodeTable(encodeTable(written))).toEqual({ value: written });
  }));
});

test("overrides are read back as they were written", () => {
  fc.assert(fc.property(anyOverrides, (written) => {
    expect(decodeOverrides(encodeOverrides(written))).toEqual({ value: written });
  }));
});

test("a table of 10,000 endpoints fits", () => {
  const many = Object.fromEntries(Array.from({ length: 10_000 }, (_, i) => [`users/eu-west-1/https://users-${i}.euw1.example.com/prefix`, health({ state: "unhealthy", detail: "x".repeat(120) })]));
  const bytes = encodeTable(table(many));
  expect(bytes.length).toBeLessThan(mostBytes);
  expect(decodeTable(bytes)).toMatchObject({ value: { endpoints: { size: 10_000 } } });
});

test("a table of 5,000 endpoints fits that are down from three regions, each with a long reason", () => {
  const sick = health({ state: "unhealthy", detail: "x".repeat(120) });
  const regions = new Map(["weur", "enam", "apac-ne"].map((region) => [region, sick]));
  const many = Object.fromEntries(Array.from({ length: 5000 }, (_, i) => [`users/eu-west-1/https://users-${i}.euw1.example.com/prefix`, { ...sick, regions }]));
  const bytes = encodeTable(table(many));
  expect(bytes.length).toBeLessThan(mostBytes);
  expect(decodeTable(bytes)).toMatchObject({ value: { endpoints: { size: 5000 } } });
});

test("an entry with a state or a key that nobody knows is passed over, and times are kept within what a clock can show", () => {
  const at = (seconds: bigint) => create(TimestampSchema, { seconds, nanos: -5 });
  const entry = (key: string, state: number, since?: Timestamp) => create(EndpointHealthSchema, { key, state: state as State, ...(since && { since }) });
  const bytes = toBinary(HealthTableSchema, create(HealthTableSchema, { schemaVersion: 1, writtenAt: at(2n ** 62n), endpoints: [entry("a", 7), entry("b", 2, at(-5n)), entry("__proto__", 1)] }));
  const read = decodeTable(bytes);
  expect(read).toMatchObject({ value: { writtenAt: 8.64e15 } });
  expect("value" in read && [...read.value.endpoints].map(([key, { since }]) => [key, since])).toEqual([["b", 0], ["__proto__", 0]]);
});

test("what a region says that nobody knows, or without a state that anybody knows, is passed over; an endpoint without regions is read as before there were any", () => {
  const row = (region: string, state: number) => ({ region, state: state as State });
  const regions = [row("weur", 2), row("mars", 2), row("__proto__", 1), row("", 1), row("enam", 9)];
  const bytes = toBinary(HealthTableSchema, create(HealthTableSchema, { schemaVersion: 1, writtenAt: timestampFromMs(noon), endpoints: [{ key: "a", state: 1, regions }, { key: "b", state: 1 }] }));
  const read = decodeTable(bytes);
  expect("value" in read && [...read.value.endpoints].map(([key, { state, regions: of }]) => [key, state, [...of].map(([region, found]) => [region, found.state])])).toEqual([["a", "healthy", [["weur", "unhealthy"]]], ["b", "healthy", []]]);
});

test("what an origin says is one short printable line", () => {
  fc.assert(fc.property(fc.string({ unit: "binary", maxLength: 900 }), (text) => {
    expect(shortText(text)).toMatch(/^[^\p{C}]{0,120}$/u);
    expect(shortText(text).isWellFormed()).toBe(true);
  }));
  expect(shortText(" a\r\nb\u202e\0c ")).toBe("a b c");
});
