import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { compileFile } from "../../cli/build.ts";
import { formatIssues } from "../../cli/config/issue.ts";
import { serve } from "../../cli/serve/serve.ts";
import { descriptors, type Running } from "./origin.ts";

/** Starts the proxy on workerd before an origin that speaks Connect and protobuf alone. */
export async function startProxy(originUrl: string): Promise<Running> {
  const folder = await mkdtemp(join(tmpdir(), "fairlead-protojson-"));
  try {
    const file = join(folder, "fairlead.yaml");
    await writeFile(file, configYaml(originUrl, relative(folder, descriptors)));
    const { artifact, issues } = await compileFile(file);
    if (artifact === undefined) throw new Error(formatIssues(issues));
    return await serve({ artifact, runtime: "workerd", port: 0 });
  } finally {
    await rm(folder, { recursive: true });
  }
}

function configYaml(originUrl: string, descriptors: string): string {
  return `descriptors: [${JSON.stringify(descriptors)}]
clusters:
  origin:
    dialect: CONNECT
    codecs: [PROTO]
    localities: [{ region: local, endpoints: [{ url: "${originUrl}" }] }]
routes:
  - { match: { service: test.protojson.v1.EchoService }, cluster: origin, timeout: 30s }
auth: { rules: [{ match: { prefix: / }, allow: PUBLIC }] }
`;
}
