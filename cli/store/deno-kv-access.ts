import type { DenoRuntime } from "../../worker/runtime/deno/deno.ts";
import { denoKvStore } from "../../worker/runtime/deno/store.ts";

/** `deno run … deno-kv-access.ts FILE get|put KEY`: put takes the document from stdin, get writes it to stdout behind one byte, or nothing where there is none. */
declare const Deno: DenoRuntime & {
  readonly stdin: { readonly readable: ReadableStream<Uint8Array> };
  readonly stdout: { readonly writable: WritableStream<Uint8Array> };
};

const [path = "", verb, key = ""] = Deno.args;
const store = denoKvStore(await Deno.openKv!(path));
if (verb === "put") {
  await store.put(key, new Uint8Array(await new Response(Deno.stdin.readable).arrayBuffer()));
} else {
  const bytes = await store.get(key);
  if (bytes !== null) await new Blob([Uint8Array.of(1), bytes as Uint8Array<ArrayBuffer>]).stream().pipeTo(Deno.stdout.writable);
}
