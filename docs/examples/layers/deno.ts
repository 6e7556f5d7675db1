import { door } from "../../../worker/runtime/deno/door.ts";
import { tenant } from "./tenant.ts";

await door([tenant]);
