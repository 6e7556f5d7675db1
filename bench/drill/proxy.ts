import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { compileFile } from "../../cli/build.ts";
import { formatIssues } from "../../cli/config/issue.ts";
import { type Served, serve } from "../../cli/serve/serve.ts";
import { callPath, endpoints, type Fault, localities, methods, placeHeaders, service } from "./layout.ts";
import type { Drill } from "./options.ts";

/** Serves the proxy with one route to the origins; all that the config leaves out is at its default. */
export async function serveProxy(urls: readonly string[], drill: Drill): Promise<Served> {
  const folder = await mkdtemp(join(tmpdir(), "fairlead-drill-"));
  try {
    const file = join(folder, "fairlead.yaml");
    await writeFile(file, JSON.stringify(configOf(urls, drill)));
    const { artifact, issues } = await compileFile(file);
    if (artifact === undefined) throw new Error(formatIssues(issues));
    return await serve({ artifact, runtime: drill.runtime, port: 0 });
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
        dialect: dialectOf(fault),
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

/** A status in the trailer frame is gRPC-Web's; the other faults are told in Connect. */
export function dialectOf(fault: Fault): "GRPC_WEB" | "CONNECT" {
  return fault === "trailers-only" ? "GRPC_WEB" : "CONNECT";
}
