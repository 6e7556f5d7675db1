import axe from "axe-core";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Demo, startDemo } from "../../demo/demo.ts";
import { launchChrome, noChrome } from "./chrome.ts";

if (noChrome !== undefined) it.skip(`the demo page's tests: ${noChrome}`, () => {});

describe.skipIf(noChrome !== undefined)("the demo's page in Chromium", () => {
  let demo: Demo;
  let browser: Browser;
  let page: Page;
  const complaints: string[] = [];
  const requested = new Set<string>();

  beforeAll(async () => {
    [demo, browser] = await Promise.all([startDemo({ runtime: "workerd" }), launchChrome()]);
    page = await browser.newPage();
    page.setDefaultTimeout(10_000);
    page.on("pageerror", ({ message }) => complaints.push(message));
    // An RPC that fails is a 4xx, which Chrome mentions.
    page.on("console", (message) => message.type() === "error" && !message.text().startsWith("Failed to load resource") && complaints.push(message.text()));
    page.on("request", (request) => requested.add(new URL(request.url()).origin));
    await page.goto(demo.page.url);
    await says("#rules", "nearest: eu-central at 0 km");
  });

  afterAll(async () => {
    await browser?.close();
    await demo?.stop();
  });

  const says = (selector: string, text: string) => page.locator(selector, { hasText: text }).waitFor({ state: "attached" });
  const press = (name: string) => page.getByRole("button", { name }).click();
  const signIn = async () => {
    if (await page.getByText("Nobody is signed in.").isVisible()) await press("Sign in");
    await says("#signed-in", "Signed in as ada.");
  };
  const goTo = (name: string) => page.getByRole("combobox", { name: "Place" }).selectOption(name);
  const splitTo = async (key: "Home" | "End") => {
    await page.getByRole("slider", { name: "Split" }).press(key);
    await says("#rules", key === "End" ? "library-v1 0 %, library-v2 100 %" : "library-v1 100 %, library-v2 0 %");
  };

  describe.each([
    { protocol: "Connect, JSON", unary: "connect-unary json", stream: "connect-stream json" },
    { protocol: "gRPC-Web, binary", unary: "connect-unary proto", stream: "connect-stream proto" },
  ])("over $protocol", ({ protocol, unary, stream }) => {
    beforeAll(async () => {
      await splitTo("Home");
      await page.getByRole("radio", { name: protocol }).check();
      await says("#facts", `arrived as${unary}`);
    });

    const counted = async () => Number(/\d+/.exec((await page.locator("#of-calls").textContent()) ?? "")?.[0] ?? 0);
    /** Presses a button, and waits until a further call is counted: one that the page made by itself may still have been under way. */
    const callBy = async (name: string) => {
      const before = await counted();
      await press(name);
      await expect.poll(counted, { timeout: 10_000 }).toBeGreaterThan(before);
    };

    it("a unary call shows the message, and how the origin heard it", async () => {
      await callBy("Get a book");
      await says("#status", "The Odyssey, Homer, 1488");
      await says("#facts", `arrived as${unary}`);
      await says("#facts", "library-v1 in eu-central");
    });

    it("a stream shows its messages", async () => {
      await callBy("List books");
      await says("#status", "4 books");
      await says("#lines", "Moby-Dick, Herman Melville, 1851");
      await says("#facts", `arrived as${stream}`);
    });

    it("an error shows its code, message and details", async () => {
      await signIn();
      await callBy("Borrow Emma");
      await says("#status", "failed_precondition: every copy of Emma is lent");
      await says("#lines", "NoCopyLeft: ISBN 9780141439587, 1 copy, next due");
    });

    it("the explanation of the call is shown, of an error too", async () => {
      await signIn();
      await callBy("Borrow Emma");
      await says("#rules", "the caller is at 50.11, 8.68, in DE, in EU");
      await says("#rules", "nearest: eu-central at 0 km");
    });
  });

  it.each(["Connect, JSON", "gRPC-Web, binary"])("who is not signed in may look, but not borrow, and no origin is called: %s", async (protocol) => {
    await page.getByRole("radio", { name: protocol }).check();
    await signIn();
    await press("Sign out");
    await says("#signed-in", "Nobody is signed in.");
    await says("#status", "unauthenticated: a credential is needed");
    await says("#facts", "no origin");
    await press("Get a book");
    await says("#status", "The Odyssey");
    await signIn();
    await says("#status", "failed_precondition: every copy of Emma is lent");
  });

  it("only the page itself may sign in", async () => {
    const post = async (origin: string) => (await fetch(`${demo.page.url}/sign-in`, { method: "POST", headers: { origin } })).status;
    expect([await post("https://elsewhere.example"), await post(demo.page.url)]).toEqual([403, 200]);
    expect((await fetch(`${demo.page.url}/sign-in`)).status).toBe(404);
    expect(await (await fetch(`${demo.page.url}/jwks.json`)).json()).toEqual(JSON.parse(demo.signIn.jwks));
  });

  it("arrow keys move the caller, and calls go to another locality", async () => {
    await goTo("Frankfurt");
    await says("#map-says", "The last call went to eu-central");
    const map = page.getByRole("application");
    for (let i = 0; i < 12; i++) await map.press("ArrowLeft");
    await says("#map-says", "The last call went to us-east");
    expect(await page.getByLabel("Longitude").inputValue()).toBe("-51.32");
    expect(await page.getByRole("combobox", { name: "Place" }).inputValue()).toBe("elsewhere");
  });

  it("a click on the map moves the caller", async () => {
    const { width = 0, height = 0 } = (await page.getByRole("application").boundingBox()) ?? {};
    await page.getByRole("application").click({ position: { x: width * 0.95, y: height * 0.8 } });
    await says("#map-says", "The last call went to ap-southeast");
  });

  it("on either side of the antimeridian calls go the same way", async () => {
    for (const place of ["Pacific, 179.9° E", "Pacific, 179.9° W"]) {
      await goTo(place);
      await says("#map-says", place.slice("Pacific, ".length));
      await says("#map-says", "The last call went to ap-southeast");
    }
  });

  it("callers from nowhere whose data is personal are served in Europe, and told why", async () => {
    await goTo("nowhere");
    await page.getByRole("checkbox", { name: "Personal data" }).check();
    await says("#rules", "callers of no known place may be served in eu-central alone");
    await says("#facts", "library-v1 in eu-central");
    await page.getByRole("checkbox", { name: "Personal data" }).uncheck();
  });

  it("the split moved to v2 alone brings v2, and moved back v1", async () => {
    await goTo("London");
    await splitTo("End");
    await says("#facts", "library-v2 in eu-central");
    await splitTo("Home");
    await says("#facts", "library-v1 in eu-central");
  });

  it("a reader stays with a version while others are drawn", async () => {
    await page.getByRole("slider", { name: "Split" }).fill("50");
    await says("#rules", "library-v1 50 %, library-v2 50 %");
    await press("Call 50 times");
    await says("#status", "50 calls made");
    expect(await observed()).toHaveLength(2);
    await page.getByLabel("Reader").fill("ada");
    await says("#rules", "header x-reader decides the cluster");
    await press("Call 50 times");
    await says("#status", "50 calls made");
    expect(await observed()).toEqual(["100 %"]);
    await page.getByLabel("Reader").fill("");
    await says("#of-calls", "of 1 call ");
  });

  /** The share of each version that answered, wherever: a call that was late may have been answered elsewhere. */
  async function observed(): Promise<string[]> {
    const rows = page.locator("#shares tr:has(th[scope=row])");
    const [versions, cells] = [await rows.locator("th").allTextContents(), await rows.locator("td:last-child").allTextContents()];
    const shares = new Map<string, number>();
    for (const [i, version] of versions.entries()) shares.set(version, (shares.get(version) ?? 0) + Number.parseFloat(cells[i]!));
    return [...shares.values()].filter((share) => share > 0).map((share) => `${share} %`);
  }

  it("is as wide as the window, down to 360 pixels", async () => {
    for (const width of [360, 600, 900, 1280]) {
      await page.setViewportSize({ width, height: 800 });
      expect(await page.evaluate("document.documentElement.scrollWidth")).toBe(width);
    }
  });

  it("is light or dark, as the system is", async () => {
    const luminance = async (colorScheme: "light" | "dark") => {
      await page.emulateMedia({ colorScheme });
      const colour = String(await page.evaluate("getComputedStyle(document.body).backgroundColor"));
      return Math.max(...(colour.match(/\d+/g) ?? []).map(Number));
    };
    expect(await luminance("light")).toBeGreaterThan(230);
    expect(await luminance("dark")).toBeLessThan(40);
  });

  it.each([["light", 1200], ["dark", 1200], ["light", 360], ["dark", 360]] as const)("has no finding of axe: %s, %i pixels wide", async (colorScheme, width) => {
    await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
    await page.setViewportSize({ width, height: 900 });
    await signIn();
    await press("Borrow Emma");
    await says("#status", "failed_precondition");
    await page.evaluate(`${axe.source}; undefined`);
    const { violations, passes } = (await page.evaluate("axe.run()")) as axe.AxeResults;
    expect(passes.length).toBeGreaterThan(20);
    expect(violations.map(({ id, impact, nodes }) => `${impact} ${id}: ${nodes.map(({ html, failureSummary }) => `${html} ${failureSummary}`).join("; ")}`)).toEqual([]);
  });

  it("only the page itself may change the split, and to nothing but weights", async () => {
    const post = async (origin: string, body: string) => (await fetch(`${demo.page.url}/split`, { method: "POST", headers: { origin }, body })).status;
    expect(await post("https://elsewhere.example", '{"library-v1":0,"library-v2":100}')).toBe(403);
    for (const body of ["", "{}", '{"library-v1":0,"library-v2":0}', '{"library-v1":1,"library-v2":101}', '{"library-v1":"1","library-v2":1}', "[".repeat(2000)]) {
      expect(await post(demo.page.url, body)).toBe(400);
    }
  });

  it("asks nobody but its own server and the proxy, and nothing went wrong in it", () => {
    expect([...requested].filter((origin) => origin !== "null").sort()).toEqual([demo.page.url, demo.proxy.url].sort());
    expect(complaints).toEqual([]);
  });
});
