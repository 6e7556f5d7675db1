import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { defects, type Proxy, startProxy, within } from "../e2e/harness.ts";
import { books, lost, paused } from "./books.ts";
import { launchChrome, noChrome } from "./chrome.ts";
import { type BrowserOrigin, startBrowserOrigin } from "./origin.ts";
import { type Call, clients, type Outcome } from "./page-call.ts";
import { bundlePage, type Site, startSite } from "./site.ts";
import { type Watched, watch } from "./watch.ts";

const origins = ["connect", "grpc-web"] as const;
const failedPrecondition = 9;

/** The two origins below the base paths `/connect` and `/grpc-web`, for the pages of one site. */
function config(connect: string, grpcWeb: string, site: string): string {
  const at = (url: string) => `localities: [{ region: here, endpoints: [{ url: "${url}" }] }]`;
  return `
descriptors: [demo.binpb]
clusters:
  connect: { dialect: CONNECT, ${at(connect)} }
  grpc-web: { dialect: GRPC_WEB, codecs: [PROTO], ${at(grpcWeb)} }
routes:
  - { match: { service: fairlead.demo.v1.LibraryService, base_path: /connect }, cluster: connect }
  - { match: { service: fairlead.demo.v1.LibraryService, base_path: /grpc-web }, cluster: grpc-web }
cors: { allowed_origins: ["${site}"], allow_credentials: true, allowed_headers: [x-tenant] }
`;
}

if (noChrome !== undefined) it.skip(`the browser's tests: ${noChrome}`, () => {});

describe.skipIf(noChrome !== undefined)("in Chromium", () => {
  let browser: Browser;
  let proxy: Proxy;
  let origin: Record<(typeof origins)[number], BrowserOrigin>;
  let sites: Site[];
  let page: Page;
  let refusedPage: Page;
  let seen: Watched[];
  let seenRefused: Watched[];

  beforeAll(async () => {
    const script = await bundlePage();
    const site = await startSite(script);
    const refused = await startSite(script);
    sites = [site, refused];
    origin = { connect: await startBrowserOrigin("connect"), "grpc-web": await startBrowserOrigin("grpc-web") };
    proxy = await startProxy("workerd", config(origin.connect.url, origin["grpc-web"].url, site.origin));
    browser = await launchChrome();
    const context = await browser.newContext();
    page = await context.newPage();
    refusedPage = await context.newPage();
    await page.goto(site.origin);
    await refusedPage.goto(refused.origin);
    seen = await watch(page);
    seenRefused = await watch(refusedPage);
  });

  afterAll(async () => {
    await browser?.close();
    await proxy?.stop();
    await Promise.all([...(sites ?? []), ...Object.values(origin ?? {})].map((server) => server.stop()));
    expect(defects(proxy?.log() ?? "")).toEqual([]);
  });

  async function callFrom(page: Page, call: Call): Promise<Outcome> {
    return within(15_000, page.evaluate(`page.call(${JSON.stringify(call)})`) as Promise<Outcome>, `${call.method} of ${call.client}`);
  }

  describe.each(clients)("%s", (client) => {
    describe.each(origins)("to an origin that speaks %s", (to) => {
      const via = () => ({ client, baseUrl: `${proxy.url}/${to}`, custom: true });

      it("a unary reply comes whole: message, headers and trailers, and the request came with cookies", async () => {
        const outcome = await callFrom(page, { ...via(), method: "getBook", request: { isbn: books[0].isbn } });
        expect(outcome).toMatchObject({ books: [books[0]], header: signed(to), trailer: { "x-loans": "3" }, ends: 1 });
        expect(outcome.error).toBeUndefined();
      });

      it("a stream of replies comes whole: messages in order, headers and trailers", async () => {
        const outcome = await callFrom(page, { ...via(), method: "listBooks", request: { author: "" } });
        expect(outcome).toMatchObject({ books, header: signed(to), trailer: { "x-loans": "3" }, ends: 1 });
        expect(outcome.error).toBeUndefined();
      });

      it("a unary error comes with code, message, details and metadata", async () => {
        const outcome = await callFrom(page, { ...via(), method: "borrowBook", request: { isbn: "3" } });
        expect(outcome.books).toEqual([]);
        expectLost(outcome, "3");
      });

      it("an error that ends a stream comes after its messages, with code, message, details and metadata", async () => {
        const outcome = await callFrom(page, { ...via(), method: "listBooks", request: { author: lost.atTheEnd } });
        expect(outcome.books).toEqual(books);
        expectLost(outcome, "2");
      });

      it("an error instead of a stream comes with code, message, details and metadata", async () => {
        const outcome = await callFrom(page, { ...via(), method: "listBooks", request: { author: lost.atOnce } });
        expect(outcome.books).toEqual([]);
        expectLost(outcome, "1");
      });

      it("a page of another site is refused, and told nothing of CORS", async () => {
        seenRefused.length = 0;
        const calls = origin[to].calls();
        const outcome = await callFrom(refusedPage, { ...via(), method: "getBook", request: { isbn: books[0].isbn } });
        expect(outcome.error).toBeDefined();
        expect([outcome.books, outcome.header["x-served-by"]]).toEqual([[], undefined]);
        const preflights = () => seenRefused.filter(({ method, url }) => method === "OPTIONS" && url.startsWith(via().baseUrl));
        await expect.poll(preflights).not.toEqual([]);
        await expectNoGrant(preflights());
        expect(origin[to].calls()).toBe(calls);
      });
    });
  });

  // grpc-web's binary format hands over nothing before the end.
  describe.each(clients.filter((client) => client !== "grpc-web, binary"))("%s", (client) => {
    it.each(origins)("the messages of a stream from an origin that speaks %s come to the page as they are sent", async (to) => {
      const arrived = async () => Number(await page.evaluate("page.arrived"));
      const before = await arrived();
      const outcome = callFrom(page, { client, baseUrl: `${proxy.url}/${to}`, custom: true, method: "listBooks", request: { author: paused } });
      await expect.poll(arrived, { timeout: 5000, interval: 10 }).toBe(before + 1);
      origin[to].release();
      expect((await outcome).books).toEqual(books);
    });
  });

  describe.each(origins)("Connect GET to an origin that speaks %s", (to) => {
    const get = () => ({ client: "connect-web, Connect GET", baseUrl: `${proxy.url}/${to}`, custom: false, method: "getBook", request: { isbn: books[1].isbn } }) as const;

    it("takes one request, without a preflight", async () => {
      seen.length = 0;
      const outcome = await callFrom(page, get());
      expect(outcome).toMatchObject({ books: [books[1]], header: { "x-served-by": to }, trailer: { "x-loans": "3" } });
      await expectOneGet(seen);
    });

    it("gives its reply to no page of another site", async () => {
      seenRefused.length = 0;
      const outcome = await callFrom(refusedPage, get());
      expect(outcome.error).toBeDefined();
      expect([outcome.books, outcome.header["x-served-by"]]).toEqual([[], undefined]);
      await expectNoGrant([await expectOneGet(seenRefused)]);
    });
  });
});

/** The headers of a reply to the page: it sent its cookie and its tenant along. */
function signed(to: string): Record<string, string> {
  return { "x-served-by": to, "x-asked-by": "visitor=7; tenant=north" };
}

function expectLost({ error, header, ends }: Outcome, isbn: string): void {
  expect(error).toMatchObject({ code: failedPrecondition, message: lost.message, details: [{ isbn, copies: 1, nextDue: lost.nextDue }] });
  expect({ ...header, ...error?.metadata }).toMatchObject({ "x-reason": "lent" });
  expect(ends).toBe(1);
}

/** The one request for a URL with a query: no preflight asked for it. The browser may tell of requests after the page has their replies. */
async function expectOneGet(requests: readonly Watched[]): Promise<Watched> {
  const found = () => requests.filter(({ url }) => url.includes("?"));
  await expect.poll(() => found().map(({ method }) => method)).toContain("GET");
  const get = found().find(({ method }) => method === "GET")!;
  await within(5000, get.reply, "a reply");
  expect(found()).toEqual([get]);
  return get;
}

async function expectNoGrant(requests: readonly Watched[]): Promise<void> {
  const names = await within(5000, Promise.all(requests.map(async ({ reply }) => Object.keys(await reply))), "a reply");
  expect(names.flat().filter((name) => name.startsWith("access-control-"))).toEqual([]);
}
