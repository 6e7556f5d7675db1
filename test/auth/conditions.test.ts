import { hash } from "node:crypto";
import { describe, expect, it, onTestFinished, vi } from "vitest";

describe("a proxy that was built without conditions", () => {
  const asking = (more: string) => ({ auth: `{ providers: { keys: { api_keys: { keys: [{ name: ada, sha256: "${hash("sha256", "k")}" }] } } }, rules: [{ match: { prefix: / }, require: { provider: keys${more} } }] }` });

  it("does not start with one", async () => {
    vi.stubGlobal("FAIRLEAD_CONDITIONS", false);
    onTestFinished(() => void vi.unstubAllGlobals());
    const { guarded } = await import("./world.ts");
    await expect(guarded(asking(', condition: "true"'))).rejects.toThrow("Cannot start with a condition");
    const { call } = await guarded(asking(""));
    expect((await call({ "x-api-key": "k" })).code).toBe("ok");
    expect((await call({ "x-api-key": "j" })).code).toBe("unauthenticated");
  });
});
