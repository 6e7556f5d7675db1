import type { Store } from "../../proxy/ports.ts";
import type { DenoKv } from "./deno.ts";
import { patiently } from "./patiently.ts";

/** A value in Deno KV holds 64 KiB, so that a document is cut into pieces of: */
const pieceBytes = 60_000;
/** More than a transaction takes (800 KiB) has, so that a document is read in one batch, as it was at one time. */
const mostPieces = 100;
const root = "fairlead";

/** Documents in Deno KV, each under `["fairlead", key, 0…]`. */
export function denoKvStore(kv: Pick<DenoKv, "list" | "atomic">): Store {
  async function pieces(key: string): Promise<Uint8Array[]> {
    const found: Uint8Array[] = [];
    for await (const { value } of kv.list({ prefix: [root, key] }, { batchSize: mostPieces })) if (value instanceof Uint8Array) found.push(value);
    return found;
  }

  async function replace(key: string, bytes: Uint8Array): Promise<void> {
    const before = (await pieces(key)).length;
    const count = Math.max(1, Math.ceil(bytes.length / pieceBytes));
    let change = kv.atomic();
    for (let i = 0; i < count; i++) change = change.set([root, key, i], bytes.slice(i * pieceBytes, (i + 1) * pieceBytes));
    for (let i = count; i < before; i++) change = change.delete([root, key, i]);
    await change.commit();
  }

  return {
    async get(key) {
      const found = await patiently(() => pieces(key));
      if (found.length === 0) return null;
      const bytes = new Uint8Array(found.reduce((sum, { length }) => sum + length, 0));
      let at = 0;
      for (const piece of found) {
        bytes.set(piece, at);
        at += piece.length;
      }
      return bytes;
    },
    put: (key, bytes) => patiently(() => replace(key, bytes)),
  };
}

/** Documents that live as long as the process, where there is no KV. */
export function memoryStore(): Store {
  const documents = new Map<string, Uint8Array>();
  return {
    get: async (key) => documents.get(key) ?? null,
    put: async (key, bytes) => void documents.set(key, bytes),
  };
}
