import type { RawPlace } from "../../core/balance/place.ts";
import { createProxy, decodeArtifact, type Proxy } from "../../index.ts";
import artifact from "../../../dist/fairlead.compiled";
import { cloudflarePorts } from "./ports.ts";

const { config } = await decodeArtifact(new Uint8Array(artifact));
let proxy: Proxy | undefined;

export default {
  fetch(request: Request, env: object): Promise<Response> {
    proxy ??= createProxy({ config, ports: cloudflarePorts(env) });
    return proxy.fetch(request, { clientAddress: () => clientAddress(request), place: () => place(request), left: () => request.signal });
  },
};

/** Cloudflare writes this header over what a caller sends, and `cf` beside it; a workerd of one's own writes neither. */
function clientAddress(request: Request): string | null {
  return request.cf === undefined ? null : request.headers.get("cf-connecting-ip");
}

/** Cloudflare's account of where the request came from: https://developers.cloudflare.com/workers/runtime-apis/request/#incomingrequestcfproperties */
function place({ cf }: Request): RawPlace | null {
  return cf === undefined ? null : { latitude: cf["latitude"], longitude: cf["longitude"], country: cf["country"], continent: cf["continent"] };
}
