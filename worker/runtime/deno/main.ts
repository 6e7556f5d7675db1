import { door } from "./door.ts";

await door();
