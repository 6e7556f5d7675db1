/**
 * The header fields of a message, or its metadata: what `Headers` is, between the two ends of the proxy. Names are in lower case,
 * values of one name are joined by ", ", and `set-cookie` alone has several
 * (https://www.rfc-editor.org/rfc/rfc9110#section-5.3).
 *
 * A Headers object lives outside of the engine: making one costs a hundredth to a fiftieth of a whole call on workerd, and each
 * look-up crosses over. A class, since a call makes several: the methods of a closure would be made anew for each.
 */
export class Fields {
  readonly #values: Record<string, string>;
  #cookies: string[];

  /** Takes `values` over: names in lower case, values as a Headers object gave them. */
  constructor(values: Record<string, string> = noValues(), cookies: readonly string[] = none) {
    this.#values = values;
    this.#cookies = [...cookies];
  }

  get(name: string): string | null {
    return this.#values[name] ?? this.#find(name.toLowerCase());
  }

  #find(lower: string): string | null {
    if (lower === setCookie) return this.#cookies.length === 0 ? null : this.#cookies.join(", ");
    return this.#values[lower] ?? null;
  }

  has(name: string): boolean {
    return this.get(name) !== null;
  }

  /** Throws a TypeError where the name or the value cannot stand in a header, as Headers do. */
  set(name: string, value: string): void {
    const lower = checkedName(name);
    if (lower === setCookie) this.#cookies = [checkedValue(value)];
    else this.#values[lower] = checkedValue(value);
  }

  /** Throws as `set` does. */
  append(name: string, value: string): void {
    const lower = checkedName(name);
    const checked = checkedValue(value);
    const before = this.#values[lower];
    if (lower === setCookie) this.#cookies.push(checked);
    else this.#values[lower] = before === undefined ? checked : `${before}, ${checked}`;
  }

  delete(name: string): void {
    const lower = name.toLowerCase();
    if (lower === setCookie) this.#cookies = [];
    else if (lower in this.#values) delete this.#values[lower];
  }

  forEach(each: (value: string, name: string) => void): void {
    for (const name in this.#values) each(this.#values[name]!, name);
    for (const cookie of this.#cookies) each(cookie, setCookie);
  }

  *[Symbol.iterator](): Generator<[name: string, value: string]> {
    yield* Object.entries(this.#values);
    for (const cookie of this.#cookies) yield [setCookie, cookie];
  }

  getSetCookie(): readonly string[] {
    return this.#cookies;
  }

  /** What fetch and Response take. A list of pairs would cost an iterator for each of them on workerd. */
  toInit(): Record<string, string> | [string, string][] {
    return this.#cookies.length === 0 ? this.#values : [...this];
  }
}

/** Reads a Headers object once, so that whoever looks at it later stays in the engine. */
export function fieldsOf(headers: Pick<Headers, "forEach">): Fields {
  const values = noValues();
  const cookies: string[] = [];
  headers.forEach((value, name) => {
    if (name === setCookie) cookies.push(value);
    else values[name] = value;
  });
  return new Fields(values, cookies);
}

/** What can be read of fields, whoever holds them. */
export type ReadableFields = Pick<Fields, "get" | "has" | "forEach">;

const setCookie = "set-cookie";
const none: readonly string[] = [];

/** Values by name, with nothing inherited: a header may be called `constructor`. */
export function noValues(): Record<string, string> {
  return new NoValues();
}

/** Of `Object.create(null)` V8 would make a hash table, which is slower to fill and to read here. */
const NoValues = function () {} as unknown as { new (): Record<string, string>; prototype: object };
NoValues.prototype = Object.create(null) as object;

/** Whether the text may name a header. */
export function isName(text: string): boolean {
  return /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/.test(text);
}

/** Names that were found good before, in lower case: mostly the same few are set. So many are remembered, of so many letters: others may make names up. */
const goodNames = new Set<string>();
const mostNames = 200;
const longestName = 64;

function checkedName(name: string): string {
  if (goodNames.has(name)) return name;
  if (!isName(name)) throw new TypeError(`Cannot take this as a header's name as it must be a token: current value is ${JSON.stringify(name)}`);
  const lower = name.toLowerCase();
  if (goodNames.size < mostNames && lower.length <= longestName) goodNames.add(lower);
  return lower;
}

function checkedValue(value: string): string {
  if (/^(?![\t ])[\t\x20-\x7e\x80-\xff]*(?<![\t ])$/.test(value)) return value;
  if (!/^[\t\x20-\x7e\x80-\xff]*$/.test(value)) throw new TypeError("Cannot take this as a header's value as it must be one line of bytes");
  return value.replace(/^[\t ]+|(?<![\t ])[\t ]+$/g, "");
}
