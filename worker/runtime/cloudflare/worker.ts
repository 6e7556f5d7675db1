import artifact from "../../../dist/fairlead.compiled";
import { door } from "./door.ts";

const { handlers, Sweeper, Prober, Tally } = await door(artifact);
export { Prober, Sweeper, Tally };
export default handlers;
