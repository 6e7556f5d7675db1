import { expect, it } from "vitest";
import { endpoints } from "../../demo/page/endpoints.ts";
import { encodeTable } from "../../worker/core/health/codec.ts";
import { health, table } from "../core/health/tables.ts";

it("the demo's listing tells from which regions an endpoint is down that is well as a whole", async () => {
  const now = Date.now();
  const origin = (region: string) => ({ cluster: "c", region, url: `http://${region}`, runs: () => true, start: () => Promise.resolve(), stop: () => Promise.resolve() });
  const regions = new Map([["weur", health({ state: "unhealthy", detail: "HTTP 503" })], ["enam", health()]]);
  const known = table({ "c/a/http://a": health({ regions }), "c/b/http://b": health({ state: "unhealthy", detail: "HTTP 500", regions }) }, { writtenAt: now });
  const { facts } = endpoints([origin("a"), origin("b")], { get: () => Promise.resolve(encodeTable(known)), put: () => Promise.resolve() });
  expect(await facts()).toMatchObject([{ state: "healthy", detail: "down from weur: HTTP 503" }, { state: "unhealthy", detail: "HTTP 500" }]);
});
