import { createProxy, decodeArtifact, type Proxy } from "../../index.ts";
import artifact from "../../../dist/fairlead.compiled";
import { connectionFacts } from "./facts.ts";
import { cloudflarePorts } from "./ports.ts";

const { config } = await decodeArtifact(new Uint8Array(artifact));
let proxy: Proxy | undefined;

export default {
  fetch(request: Request, env: object): Promise<Response> {
    proxy ??= createProxy({ config, ports: cloudflarePorts(env) });
    return proxy.fetch(request, connectionFacts(request));
  },
};
