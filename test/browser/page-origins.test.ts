import axe from "axe-core";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Demo, startDemo } from "../../demo/demo.ts";
import { launchChrome, noChrome } from "./chrome.ts";

if (noChrome !== undefined) it.skip(`the tests of origins on the demo's page: ${noChrome}`, () => {});

describe.skipIf(noChrome !== undefined)("origins on the demo's page in Chromium", () => {
  let demo: Demo;
  let browser: Browser;
  let page: Page;

  beforeAll(async () => {
    [demo, browser] = await Promise.all([startDemo({ runtime: "workerd" }), launchChrome()]);
    page = await browser.newPage();
    page.setDefaultTimeout(15_000);
    await page.goto(demo.page.url);
    await says("#rules", "nearest: eu-central at 0 km");
  });
  afterAll(async () => {
    await browser?.close();
    await demo?.stop();
  });

  const says = (selector: string, text: string | RegExp) => page.locator(selector, { hasText: text }).first().waitFor({ state: "attached" });
  const press = (name: string) => page.getByRole("button", { name, exact: true }).click();
  const row = () => page.getByRole("row").filter({ has: page.getByRole("button", { name: /(Stop|Start) v1 in eu-central/ }) });

  it("calls that run go elsewhere while an origin is stopped, none fails, and it is healthy once it runs again", async () => {
    await row().locator(".state", { hasText: /^healthy/ }).waitFor();
    await page.getByRole("switch", { name: "Keep calling" }).check();
    await says("#lanes .lane-0", /[1-9]\d* of the last/);
    await press("Stop v1 in eu-central");
    await says("#lanes .lane-1", /[1-9]\d* of the last/);
    await row().locator(".state", { hasText: "unhealthy" }).waitFor();
    await page.getByRole("row").filter({ has: page.getByRole("button", { name: "Stop v1 in us-east" }) }).locator(".number", { hasText: /[1-9]\d* %/ }).waitFor();
    await press("Start v1 in eu-central");
    await row().locator(".state", { hasText: /^healthy/ }).waitFor();
    expect(await page.locator("#kept").textContent()).toMatch(/, 0 failed$/);
  });

  it.each(["light", "dark"] as const)("has no finding of axe while an origin is stopped: %s", async (colorScheme) => {
    await page.getByRole("switch", { name: "Keep calling" }).uncheck();
    await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
    await press("Stop v2 in us-east");
    await says(".stopped", "stopped");
    await page.evaluate(`${axe.source}; undefined`);
    const { violations } = (await page.evaluate("axe.run()")) as axe.AxeResults;
    expect(violations.map(({ id, impact, nodes }) => `${impact} ${id}: ${nodes.map(({ html }) => html).join("; ")}`)).toEqual([]);
    await press("Start v2 in us-east");
  });

  it("a latitude out of range is told, and leaves the caller where it was", async () => {
    await page.getByLabel("Latitude").fill("95");
    await page.getByLabel("Latitude").press("Tab");
    await says("#at-error", "Latitude must be from");
    expect(await page.getByLabel("Latitude").getAttribute("aria-invalid")).toBe("true");
    await says("#map-says", "The caller is at 50.1");
    await page.getByRole("combobox", { name: "Place" }).selectOption("London");
    expect(await page.getByLabel("Latitude").getAttribute("aria-invalid")).toBe("false");
  });

  it("a touch that becomes a scroll leaves the caller where it was", async () => {
    await says("#map-says", "The caller is at 51.5");
    const map = page.getByRole("application");
    // No such pointer is down, so that none can be captured.
    await page.evaluate("map.setPointerCapture = () => {}");
    const touch = (type: string) => map.dispatchEvent(type, { pointerId: 7, isPrimary: true, button: 0, clientX: 300, clientY: 300 });
    await map.dispatchEvent("pointerdown", { pointerId: 7, isPrimary: false, button: 0, clientX: 300, clientY: 300 });
    await map.dispatchEvent("pointerdown", { pointerId: 7, isPrimary: true, button: 2, clientX: 300, clientY: 300 });
    expect(await page.locator("#map-says").textContent()).toContain("51.5");
    await touch("pointerdown");
    expect(await page.getByRole("combobox", { name: "Place" }).inputValue()).toBe("elsewhere");
    await touch("pointercancel");
    await says("#map-says", "The caller is at 51.5");
    expect(await page.getByRole("combobox", { name: "Place" }).inputValue()).toBe("London");
  });

  it("a split that the proxy does not take is put back, and told", async () => {
    await page.route("**/split", (route) => route.fulfill({ status: 500, body: "no" }));
    const slider = page.getByRole("slider", { name: "Split" });
    const before = await slider.inputValue();
    await slider.press("End");
    await says("#split-error", "The split was not changed.");
    expect(await slider.inputValue()).toBe(before);
  });

  it("only the page itself may stop an origin, and only one that there is", async () => {
    const post = async (origin: string, body: string) => (await fetch(`${demo.page.url}/endpoints`, { method: "POST", headers: { origin }, body })).status;
    expect(await post("https://elsewhere.example", '{"cluster":"library-v1","region":"us-east","run":false}')).toBe(403);
    for (const body of ["", "null", '{"cluster":"library-v1","region":"mars","run":false}', '{"cluster":"library-v1","region":"us-east","run":1}']) expect(await post(demo.page.url, body)).toBe(400);
  });

  it("a page that is not told what is served says so", async () => {
    await page.route("**/facts", (route) => route.abort());
    await page.goto(demo.page.url);
    await says("#status", "The page cannot start");
  });
});
