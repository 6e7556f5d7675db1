import type { Store } from "../../proxy/ports.ts";

/** The part of a KV namespace that the store uses: https://developers.cloudflare.com/kv/api/ */
export interface KvNamespace {
  get(key: string, options: { readonly type: "arrayBuffer"; readonly cacheTtl: number }): Promise<ArrayBuffer | null>;
  put(key: string, value: Uint8Array): Promise<void>;
}

/** The least that KV takes, in seconds. */
const cacheTtl = 30;

export function kvStore(kv: KvNamespace): Store {
  return {
    async get(key) {
      const bytes = await kv.get(key, { type: "arrayBuffer", cacheTtl });
      return bytes === null ? null : new Uint8Array(bytes);
    },
    put: (key, bytes) => kv.put(key, bytes),
  };
}
