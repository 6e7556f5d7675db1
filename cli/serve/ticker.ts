import { once } from "node:events";
import { type IncomingMessage, request } from "node:http";

/**
 * A Worker that does what Cloudflare's cron does: whatever it is asked, it runs the `scheduled` of its binding MAIN. So the door's own handler runs,
 * and the deployed Worker has no path by which anybody could run it. `scheduled` of a binding is what makes workerd ask for --experimental.
 */
export const tickerModule = `export default {
  async fetch(_request, { MAIN }) {
    await MAIN.scheduled({ scheduledTime: new Date(), cron: "" });
    return new Response();
  },
};
`;
export const tickerFlags = ["service_binding_extra_handlers"];

export interface Ticker {
  /** Ticks at once, and then at this interval in milliseconds, from the beginning of one run to that of the next; undefined: not any more. */
  every(interval: number | undefined): void;
}

/** Asks the ticker on a Unix socket, one run at a time. */
export function ticker(socket: string): Ticker {
  let timer: NodeJS.Timeout | undefined;
  let round = 0;
  return {
    every(interval) {
      clearTimeout(timer);
      const mine = ++round;
      const tick = async (): Promise<void> => {
        const began = Date.now();
        await ask(socket).catch(() => {});
        if (mine !== round) return;
        timer = setTimeout(() => void tick(), Math.max(0, began + interval! - Date.now()));
        timer.unref();
      };
      if (interval !== undefined) void tick();
    },
  };
}

/** A runtime that is about to be stopped may leave its answer out. */
async function ask(socketPath: string): Promise<void> {
  const asked = request({ socketPath, path: "/", headers: { host: "ticker" }, agent: false }).end();
  const [response] = (await once(asked, "response")) as [IncomingMessage];
  response.resume();
  await once(response, "close");
}
