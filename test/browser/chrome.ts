import bundled from "@sparticuz/chromium";
import { type Browser, chromium } from "playwright-core";

/** Why no browser can be had here, in words; undefined if one can. */
export const noChrome: string | undefined =
  process.env["CHROME_PATH"] !== undefined || (process.platform === "linux" && process.arch === "x64")
    ? undefined
    : `no Chromium comes with the packages on ${process.platform} ${process.arch}: set CHROME_PATH to an installed Chrome`;

/**
 * Starts Chrome without a window: the one at CHROME_PATH, else the one that @sparticuz/chromium brings. The flags that
 * this package recommends are left out: one of them is `--disable-web-security`, and with it there is no CORS.
 */
export async function launchChrome(): Promise<Browser> {
  const executablePath = process.env["CHROME_PATH"] ?? (await bundled.executablePath());
  return chromium.launch({ executablePath, args: ["--no-sandbox", "--disable-gpu"] });
}
