import { describe, expect, it } from "vitest";
import { decodeArtifact } from "../../worker/index.ts";
import type { CompiledMethod } from "../../worker/core/config/compiled.ts";
import { retryOf } from "../../worker/core/balance/retry.ts";
import { compileText } from "../e2e/harness.ts";

const method: CompiledMethod = { path: "/t.S/M", kind: "unary", idempotency: "idempotent", typed: false, maxAttempts: 1 };

describe("what the schema says of a method's attempts", () => {
  it.each([["", 1], [", retry: { hedging_delay: 20ms }", 1], [", retry: { max_attempts: 2 }", 2]])("holds where its route leaves them open: %j", async (retry, attempts) => {
    const { config } = await decodeArtifact(await compileText(`
clusters: { c: { dialect: CONNECT, localities: [{ region: here, endpoints: [{ url: "http://a.example" }] }] } }
routes: [{ match: { service: t.S }, cluster: c${retry} }]
`));
    expect(retryOf({ route: config.routes[0]!, method }).maxAttempts).toBe(attempts);
    expect(retryOf({ route: config.routes[0]!, method: undefined })).toEqual(config.routes[0]!.retry);
  });
});
