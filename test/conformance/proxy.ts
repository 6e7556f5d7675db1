import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { compileFile } from "../../cli/build.ts";
import { formatIssues } from "../../cli/config/issue.ts";
import { serve } from "../../cli/serve/serve.ts";
import type { Address } from "./messages.ts";
import type { Origin, Setup } from "./options.ts";
import type { Running } from "./origin.ts";
import { suite } from "./suite.ts";

/**
 * Starts the proxy in front of one origin, from a config file as a user would write it. A request message may take
 * `requestMessageBytes`.
 */
export async function startProxy(origin: Address, setup: Setup, requestMessageBytes: number): Promise<Running> {
  const artifact = await compiled((folder) => configYaml(origin, setup, requestMessageBytes, relative(folder, suite.descriptors)));
  const { url, stop } = await serve({ artifact, runtime: setup.runtime, port: 0 });
  const { hostname, port } = new URL(url);
  return { host: hostname, port: Number(port), stop };
}

async function compiled(yamlIn: (folder: string) => string): Promise<Uint8Array<ArrayBuffer>> {
  const folder = await mkdtemp(join(tmpdir(), "fairlead-conformance-"));
  try {
    const file = join(folder, "fairlead.yaml");
    await writeFile(file, yamlIn(folder));
    const { artifact, issues } = await compileFile(file);
    if (artifact === undefined) throw new Error(formatIssues(issues));
    return artifact;
  } finally {
    await rm(folder, { recursive: true });
  }
}

const dialects = { same: "SAME", connect: "CONNECT", "grpc-web": "GRPC_WEB" } as const satisfies Record<Origin, string>;

/** Only the suite's own services have a route: any other is the proxy's to refuse. */
function configYaml(origin: Address, setup: Setup, requestMessageBytes: number, descriptors: string): string {
  return `descriptors: [${JSON.stringify(descriptors)}]
clusters:
  origin:
    dialect: ${dialects[setup.origin]}
    codecs: ${setup.recode ? "[PROTO]" : "[PROTO, JSON]"}
    localities:
      - region: local
        endpoints: [{ url: "http://${origin.host}:${origin.port}" }]
routes:
  - match: { prefix: /connectrpc.conformance.v1. }
    cluster: origin
    timeout: 30s
limits: { request_message_bytes: ${requestMessageBytes} }
auth: { rules: [{ match: { prefix: / }, allow: PUBLIC }] }
cors: { allowed_origins: ["*"] }
`;
}
