import { createProxy, decodeArtifact } from "../../index.ts";
import type { DenoRuntime } from "./deno.ts";
import { denoPorts } from "./ports.ts";

/** `deno run --allow-net --allow-read [--allow-env] worker/runtime/deno/main.ts [--config FILE] [--port N]` */
declare const Deno: DenoRuntime;

function option(name: string, otherwise: string): string {
  const at = Deno.args.indexOf(name);
  return at === -1 ? otherwise : (Deno.args[at + 1] ?? otherwise);
}

/** Without --allow-env nothing is set. */
function readSecret(name: string): string | undefined {
  try {
    return Deno.env.get(name);
  } catch {
    return undefined;
  }
}

const { config } = await decodeArtifact(await Deno.readFile(option("--config", "dist/fairlead.compiled")));
const proxy = createProxy({ config, ports: denoPorts(readSecret) });

Deno.serve(
  {
    hostname: option("--hostname", "127.0.0.1"),
    port: Number(option("--port", "8080")),
    onListen: ({ hostname, port }) => console.log(`listening on http://${hostname}:${port}`),
  },
  (request, { remoteAddr }) => proxy.fetch(request, { clientAddress: () => remoteAddr.hostname, place: () => null, left: () => request.signal }),
);
