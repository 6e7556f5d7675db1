import { DurableObject } from "cloudflare:workers";

/** A Worker that does nothing, with objects by the names of the proxy's. */
export { DurableObject as Prober, DurableObject as Sweeper, DurableObject as Tally };
export default { fetch: () => new Response("") };
