import type { Page } from "playwright-core";

/** One request as the browser sent it, preflights too, and what came back, shown to the page or not. */
export interface Watched {
  readonly method: string;
  readonly url: string;
  /** Names in lower case. */
  readonly reply: Promise<Readonly<Record<string, string>>>;
}

/** Lists the requests of a page from now on, by https://chromedevtools.github.io/devtools-protocol/tot/Network/. */
export async function watch(page: Page): Promise<Watched[]> {
  const watched: Watched[] = [];
  const replies = new Map<string, PromiseWithResolvers<Record<string, string>>>();
  const replyTo = (id: string) => {
    const reply = replies.get(id) ?? Promise.withResolvers<Record<string, string>>();
    replies.set(id, reply);
    return reply;
  };
  const devtools = await page.context().newCDPSession(page);
  devtools.on("Network.requestWillBeSent", ({ requestId, request }) => watched.push({ method: request.method, url: request.url, reply: replyTo(requestId).promise }));
  devtools.on("Network.responseReceivedExtraInfo", ({ requestId, headers }) =>
    replyTo(requestId).resolve(Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]))),
  );
  await devtools.send("Network.enable");
  return watched;
}
