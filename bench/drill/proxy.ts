import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { compileFile } from "../../cli/build.ts";
import { formatIssues } from "../../cli/config/issue.ts";
import { type Runtime, type Served, serve } from "../../cli/serve/serve.ts";
import { serveEnvoy } from "./envoy.ts";
import { callPath, endpoints, localities, methods, placeHeaders, service } from "./layout.ts";
import type { Drill } from "./options.ts";
import { originsOf } from "./wires.ts";

/** A proxy in front of the origins. */
export type ServedProxy = Pick<Served, "url" | "stop">;

/** Serves the proxy with one route to the origins; all that the config of fairlead leaves out is at its default. */
export async function serveProxy(urls: readonly string[], drill: Drill): Promise<ServedProxy> {
  const { proxy } = drill;
  return proxy === "envoy" ? serveEnvoy(urls, drill) : serveFairlead(urls, drill, proxy);
}

async function serveFairlead(urls: readonly string[], drill: Drill, runtime: Runtime): Promise<ServedProxy> {
  const folder = await mkdtemp(join(tmpdir(), "fairlead-drill-"));
  try {
    const file = join(folder, "fairlead.yaml");
    await writeFile(file, JSON.stringify(configOf(urls, drill)));
    const { artifact, issues } = await compileFile(file);
    if (artifact === undefined) throw new Error(formatIssues(issues));
    return await serve({ artifact, runtime, port: 0 });
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** The config, which as JSON is YAML. */
function configOf(urls: readonly string[], { fault, method, healthChecks }: Drill): object {
  return {
    methods: [{ path: callPath, kind: "UNARY", idempotency: methods[method] }],
    clusters: {
      drill: {
        dialect: originsOf(fault) === "grpc-web" ? "GRPC_WEB" : "CONNECT",
        codecs: ["PROTO"],
        localities: localities.map(({ name, lat, lng }, locality) => ({
          region: name,
          at: { lat, lng },
          endpoints: urls.flatMap((url, i) => (endpoints[i]?.locality === locality ? [{ url }] : [])),
        })),
        ...(healthChecks && { health_check: { service: "", timeout: "1s", interval: "10s", unhealthy_threshold: 3, healthy_threshold: 2 } }),
      },
    },
    routes: [{ match: { service }, cluster: "drill" }],
    auth: { rules: [{ match: { service }, allow: "PUBLIC" }] },
    place_headers: placeHeaders,
  };
}
