import artifact from "../../../dist/fairlead.compiled";
import { door } from "../../../worker/runtime/cloudflare/door.ts";
import { tenant } from "./tenant.ts";

const { handlers, Sweeper, Prober, Tally } = await door(artifact, [tenant]);
export { Prober, Sweeper, Tally };
export default handlers;
