import { mkdirSync } from "node:fs";
import { parseArgs } from "node:util";
import type { Page } from "playwright-core";
import { packagePath } from "../../cli/serve/root.ts";
import { launchChrome } from "../../test/browser/chrome.ts";
import { startDemo } from "../demo.ts";

/**
 * `node demo/page/screenshot.ts` makes docs/images/demo.png, the page after some calls from São Paulo, while an origin is stopped. With `--all DIR`
 * it puts light, dark, phone and tablet there instead, to look at.
 */
async function main(): Promise<void> {
  const { values } = parseArgs({ options: { all: { type: "string" } } });
  const demo = await startDemo({ runtime: "workerd", usualPorts: true });
  const browser = await launchChrome();
  try {
    const page = await browser.newPage({ viewport: { width: 1200, height: 900 } });
    await page.goto(demo.page.url);
    await callAbout(page);
    if (values.all === undefined) return void (await page.screenshot({ path: packagePath("docs/images/demo.png"), fullPage: true }));
    mkdirSync(values.all, { recursive: true });
    await page.screenshot({ path: `${values.all}/light.png`, fullPage: true });
    await page.emulateMedia({ colorScheme: "dark" });
    await page.screenshot({ path: `${values.all}/dark.png`, fullPage: true });
    await page.setViewportSize({ width: 360, height: 800 });
    await page.emulateMedia({ colorScheme: "light" });
    await page.screenshot({ path: `${values.all}/phone.png`, fullPage: true });
    await page.setViewportSize({ width: 1000, height: 800 });
    await page.screenshot({ path: `${values.all}/tablet.png`, fullPage: true });
  } finally {
    await browser.close();
    await demo.stop();
  }
}

async function callAbout(page: Page): Promise<void> {
  await page.getByRole("combobox", { name: "Place" }).selectOption("São Paulo");
  await page.getByText("7664 km", { exact: true }).waitFor();
  await page.getByRole("button", { name: "Call 50 times" }).click();
  await page.getByText("50 calls made").waitFor();
  await page.getByRole("button", { name: "List books" }).click();
  await page.getByText("Moby-Dick").waitFor();
  await page.getByRole("switch", { name: "Keep calling" }).check();
  await page.waitForTimeout(5000);
  await page.getByRole("button", { name: "Stop v1 in us-east" }).click();
  await page.locator(".stopped .state", { hasText: "unhealthy" }).waitFor();
  await page.mouse.move(0, 0);
}

await main();
