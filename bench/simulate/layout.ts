import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { compileFile } from "../../cli/build.ts";
import { formatIssues } from "../../cli/config/issue.ts";
import type { CompiledConfig } from "../../worker/core/config/compiled.ts";
import { decodeArtifact } from "../../worker/core/config/artifact.ts";

/** Where the origins are, three to a region. */
export const regions = [
  { name: "eu", lat: 50.11, lng: 8.68 },
  { name: "us", lat: 39.04, lng: -77.49 },
  { name: "ap", lat: 35.68, lng: 139.69 },
] as const;

/** The region that fails, or one endpoint of which does, and the one that is lost with it when two are. */
export const sickRegion = "eu";
export const alsoSickRegion = "us";

export const perRegion = 3;

const service = "fairlead.simulate.v1.SimulateService";

/** What callers call, and how often: the shares sum up to 1. */
export const methods = [
  { path: `/${service}/Get`, idempotency: "NO_SIDE_EFFECTS", share: 0.6 },
  { path: `/${service}/Put`, idempotency: "IDEMPOTENT", share: 0.2 },
  { path: `/${service}/Do`, idempotency: "IDEMPOTENCY_UNKNOWN", share: 0.2 },
] as const;

/** The compiled config, as a user would have it: all that is left out is at its default, but how often is probed. */
export async function compiledConfig(): Promise<CompiledConfig> {
  const folder = await mkdtemp(join(tmpdir(), "fairlead-simulate-"));
  try {
    const file = join(folder, "fairlead.yaml");
    await writeFile(file, JSON.stringify(written));
    const { artifact, issues } = await compileFile(file);
    if (artifact === undefined) throw new Error(formatIssues(issues));
    return (await decodeArtifact(artifact)).config;
  } finally {
    await rm(folder, { recursive: true });
  }
}

const written = {
  methods: methods.map(({ path, idempotency }) => ({ path, kind: "UNARY", idempotency })),
  clusters: {
    origins: {
      dialect: "CONNECT",
      codecs: ["PROTO"],
      localities: regions.map(({ name, lat, lng }) => ({
        region: name,
        at: { lat, lng },
        endpoints: Array.from({ length: perRegion }, (_, i) => ({ url: `https://${name}-${i}.example` })),
      })),
      health_check: { service: "" },
    },
  },
  routes: [{ match: { service }, cluster: "origins" }],
  auth: { rules: [{ match: { service }, allow: "PUBLIC" }] },
};
