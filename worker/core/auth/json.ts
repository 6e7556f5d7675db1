/**
 * Bytes in base64url as https://www.rfc-editor.org/rfc/rfc7515#section-2 has it: no padding, no blanks, and the bits that the last
 * character has to spare are 0. So the same bytes have one text alone. Undefined where that does not hold.
 */
export function base64urlDecode(text: string): Uint8Array<ArrayBuffer> | undefined {
  return /^[A-Za-z0-9_-]+$/.test(text) && isCanonical(text) ? bytesOf(text) : undefined;
}

/** Whether a text of base64url's characters ends as it must. */
export function isCanonical(text: string): boolean {
  const last = text.charAt(text.length - 1);
  switch (text.length % 4) {
    case 0: return true;
    case 2: return "AQgw".includes(last);
    case 3: return "AEIMQUYcgkosw048".includes(last);
    default: return false;
  }
}

/** The bytes of a text that was found to be base64url before: to look at each character twice would be felt. */
export function bytesOf(text: string): Uint8Array<ArrayBuffer> {
  const binary = binaryOf(text);
  const bytes = new Uint8Array(binary.length);
  for (let i = 0; i < binary.length; i++) bytes[i] = binary.charCodeAt(i);
  return bytes;
}

/** The same bytes, each as one character. */
function binaryOf(text: string): string {
  return atob(text.replaceAll("-", "+").replaceAll("_", "/"));
}

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/**
 * Reads JSON in which no object has two members of one name: readers differ in which of the two they believe. A number that a double
 * would change is null: it would be taken for another. Undefined where it is no such text.
 */
export function strictJson(bytes: Uint8Array): unknown {
  try {
    return parse(decoder.decode(bytes));
  } catch {
    return undefined;
  }
}

/** Reads such JSON from a text that was found to be base64url before. ASCII, as most tokens are, is read without its bytes in between. */
export function strictJsonOf(text: string): unknown {
  try {
    const binary = binaryOf(text);
    return parse(/[\x80-\xff]/.test(binary) ? decoder.decode(bytesOf(text)) : binary);
  } catch {
    return undefined;
  }
}

/** Throws where it is no JSON. */
function parse(text: string): unknown {
  const value: unknown = JSON.parse(text);
  if (membersWritten(text) !== membersOf(value)) return undefined;
  return mayBeInexact.test(text) ? JSON.parse(text, exactly) : value;
}

/** Where a number begins that has more digits than a double surely keeps, or an exponent. */
const mayBeInexact = /(?:^|[:[,\s-])(?:\d[\d.]{15}|[\d.]+[eE])/;

/** A reviver: https://tc39.es/proposal-json-parse-with-source/ */
function exactly(_name: string, value: unknown, { source = "" }: { readonly source?: string } = {}): unknown {
  return typeof value !== "number" || isExact(value, source) ? value : null;
}

function isExact(value: number, source: string): boolean {
  if (String(value) === source) return true;
  const digits = source.replace(/[eE].*/, "").replace(/[-.]/g, "").replace(/^0+/, "");
  return source !== "" && Number.isFinite(value) && digits.length <= 15 && (value !== 0 || digits === "");
}

/** In well-formed JSON a text before a colon is a member's name. */
function membersWritten(text: string): number {
  return text.match(/"(?:[^"\\]|\\.)*"[ \t\r\n]*:?/g)?.filter((one) => one.endsWith(":")).length ?? 0;
}

function membersOf(value: unknown): number {
  if (value === null || typeof value !== "object") return 0;
  const inside = Object.values(value).reduce((sum: number, one) => sum + membersOf(one), 0);
  return Array.isArray(value) ? inside : inside + Object.keys(value).length;
}
