import { utf8 } from "../core/protocol/envelope.ts";

const hex = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, "0"));

/** SHA-256 of a text in UTF-8, in hex. */
export async function sha256Hex(text: string): Promise<string> {
  let digits = "";
  for (const byte of new Uint8Array(await crypto.subtle.digest("SHA-256", utf8(text)))) digits += hex[byte];
  return digits;
}
