import { type Runtime, serve, type Served } from "../cli/serve/serve.ts";
import { encodeArtifact } from "../worker/core/config/artifact.ts";
import type { CompiledConfig } from "../worker/core/config/compiled.ts";
import { type Origin, startOrigin } from "./origins.ts";
import { endpoints } from "./page/endpoints.ts";
import { type PageServer, servePage } from "./page/server.ts";
import { portOrAny } from "./port.ts";
import { demoConfig, moveEndpoints, weigh, type Weights } from "./proxy.ts";
import { type SignIn, startSignIn } from "./sign-in.ts";

export interface DemoOptions {
  readonly runtime: Runtime;
  /** Take the ports that fairlead.yaml and the README name, where they are free. Default: any free ones. */
  readonly usualPorts?: boolean;
}

export interface Demo {
  readonly proxy: Served;
  readonly page: PageServer;
  readonly origins: readonly NamedOrigin[];
  readonly signIn: SignIn;
  /** Ends all that was started. */
  stop(): Promise<void>;
}

export interface NamedOrigin extends Origin {
  readonly cluster: string;
  readonly region: string;
  readonly dialect: "connect" | "grpc-web";
}

/**
 * Starts an origin for every endpoint of fairlead.yaml, the proxy before them, the page, and what signs callers in.
 * @throws Error if fairlead.yaml is bad or the runtime does not start.
 */
export async function startDemo({ runtime, usualPorts = false }: DemoOptions): Promise<Demo> {
  const port = (usual: number): Promise<number> => (usualPorts ? portOrAny(usual) : Promise.resolve(0));
  const written = demoConfig();
  const stops: (() => Promise<void>)[] = [];
  const stop = async () => void (await Promise.all(stops.map((end) => end())));
  try {
    const signIn = await startSignIn(written);
    const { origins, config } = await startOrigins(signIn.trustedBy(written), port);
    stops.push(...origins.map((origin) => origin.stop));
    const proxy = await serve({ artifact: await encodeArtifact(config), runtime, port: await port(8080) });
    stops.push(() => proxy.stop());
    const reweigh = async (weights: Weights) => proxy.reload(await encodeArtifact(weigh(config, weights)));
    const page = await servePage({ proxyUrl: proxy.url, config, signIn, reweigh, endpoints: endpoints(origins, proxy.store), port: await port(8088) });
    stops.push(page.stop);
    return { proxy, page, origins, signIn, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function startOrigins(written: CompiledConfig, port: (usual: number) => Promise<number>): Promise<{ origins: NamedOrigin[]; config: CompiledConfig }> {
  const origins: NamedOrigin[] = [];
  const moved = new Map<string, string>();
  for (const { name: cluster, dialect, localities } of written.clusters) {
    for (const { region, endpoints } of localities) {
      for (const { url } of endpoints) {
        const speaks = dialect === "grpc-web" ? "grpc-web" : "connect";
        const origin = await startOrigin({ dialect: speaks, port: await port(Number(new URL(url).port)), name: `${cluster} ${region}` });
        origins.push({ ...origin, cluster, region, dialect: speaks });
        moved.set(url, origin.url);
      }
    }
  }
  return { origins, config: moveEndpoints(written, moved) };
}
