import type { DenoKv, DenoRuntime } from "../../worker/runtime/deno/deno.ts";
import { patiently } from "../../worker/runtime/deno/patiently.ts";
import { denoKvStore } from "../../worker/runtime/deno/store.ts";

type Change = ReturnType<DenoKv["atomic"]>;

declare const Deno: Omit<DenoRuntime, "openKv"> & {
  readonly openKv: (path: string) => Promise<DenoKv>;
  readonly exit: (code: number) => never;
  readonly stdin: { readonly readable: ReadableStream<Uint8Array> };
  readonly stdout: { readonly writable: WritableStream<Uint8Array> };
};

/**
 * `deno run … deno-kv-access.ts FILE get|put|swap KEY [SHA-256]`: put takes the document from stdin, get writes it to stdout behind one
 * byte, or nothing where there is none. Swap is a put that writes that byte where the document was the one of this SHA-256 in base64
 * ("": none) until then, and else changes nothing.
 */
const [path = "", verb, key = "", before = ""] = Deno.args;
const kv = await patiently(() => Deno.openKv(path)).catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error);
  return Deno.exit(1);
});
const store = denoKvStore(kv);
const say = (bytes: Uint8Array) => new Blob([Uint8Array.of(1), bytes as Uint8Array<ArrayBuffer>]).stream().pipeTo(Deno.stdout.writable);
const given = async () => new Uint8Array(await new Response(Deno.stdin.readable).arrayBuffer());

if (verb === "put") await store.put(key, await given());
else if (verb === "swap") await swap(await given());
else {
  const bytes = await store.get(key);
  if (bytes !== null) await say(bytes);
}

/** Every change of a document writes its first piece: while that is the same one, so is the document. */
async function swap(after: Uint8Array): Promise<void> {
  const first = ["fairlead", key, 0];
  const { versionstamp } = await patiently(() => kv.get(first));
  const bytes = await store.get(key);
  const digest = bytes === null ? "" : btoa(String.fromCharCode(...new Uint8Array(await crypto.subtle.digest("SHA-256", bytes as Uint8Array<ArrayBuffer>))));
  if (digest !== before) return;
  let committed: unknown;
  const checked = (): Change => {
    const change = kv.atomic().check({ key: first, versionstamp });
    const commit = change.commit.bind(change);
    return Object.assign(change, { commit: async () => (committed = await commit()) });
  };
  await denoKvStore({ list: kv.list.bind(kv), atomic: checked }).put(key, after);
  if ((committed as { readonly ok: boolean }).ok) await say(new Uint8Array(0));
}
