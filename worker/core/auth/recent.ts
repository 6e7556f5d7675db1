/** Values that were used lately, by key: bounded in number and in size, and each until its time. */
export interface Recent<V> {
  get(key: string, now: number): V | undefined;
  /** `size` is what it takes in memory, in bytes, about. */
  set(key: string, value: V, until: number, size: number): void;
  delete(key: string): void;
}

interface Held<V> {
  readonly value: V;
  readonly until: number;
  readonly size: number;
}

/** Where there is no room, those go first that have not been used for longest. */
export function recent<V>(most: { readonly count: number; readonly bytes: number }): Recent<V> {
  let older = new Map<string, Held<V>>();
  let newer = new Map<string, Held<V>>();
  let bytes = 0;

  // Two generations instead of an order of use: a hit in the newer one, which is nearly every hit, changes nothing.
  function put(key: string, held: Held<V>): void {
    if (newer.size > 0 && (newer.size >= most.count / 2 || bytes + held.size > most.bytes / 2)) [older, newer, bytes] = [newer, new Map(), 0];
    if (held.size > most.bytes / 2) return;
    newer.set(key, held);
    bytes += held.size;
  }

  function drop(key: string): void {
    const held = newer.get(key);
    if (held !== undefined) bytes -= held.size;
    newer.delete(key);
    older.delete(key);
  }

  return {
    get(key, now) {
      const held = newer.get(key) ?? older.get(key);
      if (held === undefined) return undefined;
      if (now >= held.until) return void drop(key);
      if (!newer.has(key)) {
        older.delete(key);
        put(key, held);
      }
      return held.value;
    },
    set(key, value, until, size) {
      drop(key);
      put(key, { value, until, size });
    },
    delete: drop,
  };
}
